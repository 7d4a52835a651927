// https://www.npmjs.com/package/pngjs, on workerd's own zlib (nodejs_compat).
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => rgba(PNG.sync.read(Buffer.from(bytes.buffer))));
