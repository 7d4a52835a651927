/** Makes what the Worker needs and git does not hold: the bundles of tfjs and of the page, and the index of the models. */

import { makeBundles } from "./bundles.ts";
import { indexModels } from "./model-index.ts";

/** @returns What is wrong with the models that cannot be used, a line each. */
export async function prepare(): Promise<string[]> {
  const [models] = await Promise.all([indexModels(), makeBundles()]);
  return models.flatMap(({ error }) => (error === undefined ? [] : [error]));
}
