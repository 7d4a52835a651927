// https://www.npmjs.com/package/fast-png: palette indices are left as they are, as `decode` gives them.
import { decode } from "fast-png";
import { serve } from "./worker.js";

export default serve(() => (bytes) => ({ ...decode(bytes), alpha: 3 }));
