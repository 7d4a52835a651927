/** The version of the product, which package.json has and everything else reads from there. */
import { readFileSync } from "node:fs";

/** Such as "0.1.0". */
export const PRODUCT_VERSION: string = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;
