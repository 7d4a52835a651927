// https://www.npmjs.com/package/fast-bmp
import { decode } from "fast-bmp";
import { serve } from "./worker.js";

export default serve(() => (bytes) => ({ ...decode(bytes), alpha: 3 }));
