/**
 * Generates what the Worker needs and git does not contain: the bundles of tfjs and of the page, and the index of the
 * models.
 */

import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { makeBundles } from "./bundles.ts";
import { indexModels } from "./model-index.ts";

/** @returns The models, with the fault of each that cannot be used. */
export async function prepare(): Promise<readonly IndexEntry[]> {
  const [models] = await Promise.all([indexModels(), makeBundles()]);
  return models;
}
