// https://www.npmjs.com/package/bmp-js (nodejs_compat, for Buffer)
import { Buffer } from "node:buffer";
import bmp from "bmp-js";
import { serve } from "./worker.js";

globalThis.Buffer ??= Buffer;

export default serve(() => (bytes) => {
  const { width, height, data } = bmp.decode(Buffer.from(bytes.buffer));
  return { width, height, data, channels: 4, alpha: 0 };
});
