// https://www.npmjs.com/package/bmp-ts (nodejs_compat, for Buffer)
import { Buffer } from "node:buffer";
import { decode } from "bmp-ts";
import { serve } from "./worker.js";

globalThis.Buffer ??= Buffer;

export default serve(() => (bytes) => {
  const { width, height, data } = decode(Buffer.from(bytes.buffer));
  return { width, height, data, channels: 4, alpha: 0 };
});
