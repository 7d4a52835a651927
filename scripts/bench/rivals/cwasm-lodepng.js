// https://www.npmjs.com/package/@cwasm/lodepng, whose module is imported instead of read from a file (see bundle.ts).
import { decode } from "@cwasm/lodepng";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => rgba(decode(bytes)));
