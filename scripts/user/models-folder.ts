/** Indexes the models folder, and watches it while a labeler runs. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type IndexEntry, MAX_ASSET_BYTES } from "../../worker/model/index-entry.ts";
import { indexModels } from "../build/model-index.ts";
import { watchModels } from "./watch-models.ts";

export interface IndexAloudOptions {
  /** Returns why a model cannot be used; by default the fault of its files. */
  readonly whyNot?: (entry: IndexEntry) => string | undefined;
  /** Where the index is written; by default beside the models. */
  readonly index?: string | undefined;
  /** See IndexOptions. */
  readonly changing?: ReadonlySet<string>;
}

/** Writes the index of a folder of models, and reports those that cannot be used. */
export async function indexAloud(
  models: string,
  { whyNot = ({ error }) => error, ...options }: IndexAloudOptions = {},
): Promise<readonly IndexEntry[]> {
  const entries = await indexModels(models, options);
  for (const reason of entries.map(whyNot)) if (reason !== undefined) console.error(`Not usable: ${reason}`);
  return entries;
}

/** The files in a folder of models that are larger than what Cloudflare, and wrangler here, serve. */
export async function tooLargeFiles(models: string): Promise<string[]> {
  const paths = (await readdir(models, { recursive: true })).map((path) => join(models, path));
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return paths.filter((_, i) => (sizes[i] ?? 0) > MAX_ASSET_BYTES);
}

/** How long what is wrong with a model may be due to files that are still on their way, in milliseconds. */
const SETTLED = 5000;

export interface KeepIndexedOptions extends IndexAloudOptions {
  /** Called with the names of the models whose files have changed, after the index was written. */
  readonly onChange?: (names: readonly string[]) => void;
}

/** Writes the index again whenever the files of a model have changed, and says which models cannot be used. */
export function keepIndexed(models: string, { onChange, ...options }: KeepIndexedOptions = {}): void {
  /** When models were touched last, by their names. */
  const touched = new Map<string, number>();
  let settling: NodeJS.Timeout | undefined;
  const write = async (names: readonly string[]) => {
    const now = performance.now();
    for (const name of names) touched.set(name, now);
    for (const [name, at] of touched) if (now - at >= SETTLED) touched.delete(name);
    const entries = await indexAloud(models, { ...options, changing: new Set(touched.keys()) });
    clearTimeout(settling);
    if (entries.some(({ changing }) => changing)) settling = setTimeout(queue, SETTLED, []);
    if (names.length > 0) onChange?.(names);
  };
  let last: Promise<unknown> = Promise.resolve();
  const queue = (names: readonly string[]) => {
    last = last.then(() => write(names)).catch(console.error);
  };
  watchModels(models, queue);
}
