/** Makes what the Worker needs and git does not hold: the bundle of tfjs and the index of the models. */
import { indexModels } from "./model-index.ts";
import { bundleTfjs } from "./tfjs-bundle.ts";

/** @returns What is wrong with the models that cannot be used, a line each. */
export async function prepare(): Promise<string[]> {
  const [models] = await Promise.all([indexModels(), bundleTfjs()]);
  return models.flatMap(({ error }) => (error === undefined ? [] : [error]));
}
