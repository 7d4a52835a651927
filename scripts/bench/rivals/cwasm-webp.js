// https://www.npmjs.com/package/@cwasm/webp, whose module is imported instead of read from a file (see bundle.ts).
import { decode } from "@cwasm/webp";
import { rgba, serve } from "./worker.js";

export default serve(() => (bytes) => rgba(decode(bytes)));
