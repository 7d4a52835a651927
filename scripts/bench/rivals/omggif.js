// https://www.npmjs.com/package/omggif
import { GifReader } from "omggif";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => {
  const reader = new GifReader(bytes);
  const data = new Uint8Array(reader.width * reader.height * 4);
  reader.decodeAndBlitFrameRGBA(0, data);
  return rgba({ data, width: reader.width, height: reader.height });
});
