// https://www.npmjs.com/package/jpeg-js
import { decode } from "jpeg-js";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => rgba(decode(bytes, { useTArray: true, maxMemoryUsageInMB: 4096 })));
