/** Indexes the models folder, and watches it while a labeler runs. */
import { watch } from "node:fs";
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { indexModels } from "../build/model-index.ts";

export interface IndexAloudOptions {
  /** Returns why a model cannot be used; by default the fault of its files. */
  readonly whyNot?: (entry: IndexEntry) => string | undefined;
  /** Where the index is written; by default beside the models. */
  readonly index?: string | undefined;
}

/** Writes the index of a folder of models, and reports those that cannot be used. */
export async function indexAloud(
  models: string,
  { whyNot = ({ error }) => error, index }: IndexAloudOptions = {},
): Promise<readonly IndexEntry[]> {
  const entries = await indexModels(models, index);
  for (const reason of entries.map(whyNot)) if (reason !== undefined) console.error(`Not usable: ${reason}`);
  return entries;
}

/** A model counts as copied completely once nothing has changed for this long, in milliseconds. */
const QUIET = 500;

/** Calls `changed` with the names of the models whose files change from now on. */
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
  // For example, the system lets no more folders be watched: the labeler does without it.
  const giveUp = ({ message }: Error) =>
    console.error(`Changes of ${models} are not seen until a restart: ${message}.`);
  try {
    watch(models, { recursive: true }, notice).on("error", giveUp);
  } catch (error) {
    giveUp(error as Error);
  }
}
