/** The folder of models while a labeler runs. */
import { watch } from "node:fs";
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { indexModels } from "../build/model-index.ts";

export interface IndexAloudOptions {
  /** Says why a model cannot be used; by default what is wrong with its files. */
  readonly whyNot?: (entry: IndexEntry) => string | undefined;
  /** Where the index is written; by default beside the models. */
  readonly index?: string | undefined;
}

/** Writes the index of a folder of models, and says which of them cannot be used. */
export async function indexAloud(
  models: string,
  { whyNot = ({ error }) => error, index }: IndexAloudOptions = {},
): Promise<readonly IndexEntry[]> {
  const entries = await indexModels(models, index);
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
  const notice = (_: unknown, file: string | null) => {
    const name = file?.split(/[\\/]/)[0];
    if (name === undefined || name === "index.json" || name.startsWith(".")) return;
    touched.add(name);
    clearTimeout(pending);
    pending = setTimeout(report, QUIET);
  };
  // Such as a system that lets no more folders be watched: the labeler does without.
  const giveUp = ({ message }: Error) =>
    console.error(`Changes of ${models} are not seen until a restart: ${message}.`);
  try {
    watch(models, { recursive: true }, notice).on("error", giveUp);
  } catch (error) {
    giveUp(error as Error);
  }
}
