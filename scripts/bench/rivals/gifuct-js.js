// https://www.npmjs.com/package/gifuct-js
import { decompressFrame, parseGIF } from "gifuct-js";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => {
  const { gct, frames } = parseGIF(bytes.buffer);
  const frame = decompressFrame(
    frames.find(({ image }) => image),
    gct,
    true,
  );
  return rgba({ data: frame.patch, ...frame.dims });
});
