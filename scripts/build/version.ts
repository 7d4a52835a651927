/** The version of the product, and the Node that it needs: package.json has both, and everything else reads them here. */
import { readFileSync } from "node:fs";

const { version, engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** For example "0.1.0". */
export const PRODUCT_VERSION: string = version;

/** For example ">=20.20". */
export const NEEDED_NODE: string = engines.node;
