/** The version of the product: package.json holds it, and everything else reads it here. */
import { readFileSync } from "node:fs";

/** For example "0.1.0". */
export const PRODUCT_VERSION: string = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;
