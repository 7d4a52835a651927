/** The bundles that are generated from this repository's own files and imported by the Worker. */
import { bundleOpenApi } from "./openapi-bundle.ts";
import { bundlePage } from "./page-bundle.ts";
import { bundleTfjs } from "./tfjs-bundle.ts";

export async function makeBundles(): Promise<void> {
  await Promise.all([bundleOpenApi(), bundlePage(), bundleTfjs()]);
}
