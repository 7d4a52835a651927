/** The folder of models while a labeler runs. */
import { watch } from "node:fs";
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { indexModels } from "./model-index.ts";

/**
 * Writes the folder's index, and says which models cannot be used.
 *
 * @param whyNot Says why a model cannot; by default what is wrong with its files.
 */
export async function indexAloud(
  models: string,
  whyNot: (entry: IndexEntry) => string | undefined = ({ error }) => error,
): Promise<readonly IndexEntry[]> {
  const entries = await indexModels(models);
  for (const reason of entries.map(whyNot)) if (reason !== undefined) console.error(`Not usable: ${reason}`);
  return entries;
}

/** How long nothing has changed when a model is taken to be copied whole, in milliseconds. */
const QUIET = 500;

/** From now on calls `changed` with the names of the models whose files have changed. */
export function watchModels(models: string, changed: (names: readonly string[]) => Promise<unknown>): void {
  const touched = new Set<string>();
  let pending: NodeJS.Timeout | undefined;
  const report = () => {
    const names = [...touched];
    touched.clear();
    changed(names).catch(console.error);
  };
  watch(models, { recursive: true }, (_, file) => {
    const name = file?.split(/[\\/]/)[0];
    if (name === undefined || name === "index.json" || name.startsWith(".")) return;
    touched.add(name);
    clearTimeout(pending);
    pending = setTimeout(report, QUIET);
  });
}
