/** Indexes the models of this checkout, unless neither a file nor the code has changed since that was done. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MODELS } from "../build/model-files.ts";

/** Digests of what an index depends on, and of the files that indexModels() writes. */
interface State {
  readonly models: string;
  readonly index: string;
}

/** A digest of the files of a folder. */
function digestOf(folder: string, names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names.toSorted()) {
    const contents = readFileSync(join(folder, name));
    hash.update(`\n${name} ${contents.length}\n`).update(contents);
  }
  return hash.digest("hex");
}

/** @returns Undefined if there is anything else than folders with files, such as a link. */
function currentState(): State | undefined {
  const entries = readdirSync(MODELS, { withFileTypes: true });
  const index = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.isFile()) continue;
    if (!entry.isDirectory()) return undefined;
    for (const file of readdirSync(join(MODELS, entry.name), { withFileTypes: true })) {
      if (!file.isFile()) return undefined;
      files.push(join(entry.name, file.name));
    }
  }
  return { models: digestOf(MODELS, files), index: digestOf(MODELS, index) };
}

/** Like currentState(); undefined, too, if a file cannot be read. */
function readableState(): State | undefined {
  try {
    return currentState();
  } catch {
    return undefined;
  }
}

/**
 * Writes index.json of the models of this checkout, as indexModels() does.
 *
 * @param notes A folder for what is noted about this state of the code; it need not exist.
 * @throws CommandError as indexModels() does.
 */
export async function ensureIndex(notes: string): Promise<void> {
  const before = readableState();
  if (before !== undefined && readNote(notes) === JSON.stringify(before)) return;
  const { indexModels } = await import("../build/model-index.ts"); // not loaded for an index that is there
  await indexModels(MODELS);
  const after = readableState();
  if (after !== undefined && after.models === before?.models) writeNote(notes, JSON.stringify(after));
}

const NOTE = "index.json";

function readNote(notes: string): string | undefined {
  try {
    return readFileSync(join(notes, NOTE), "utf8");
  } catch {
    return undefined;
  }
}

function writeNote(notes: string, text: string): void {
  try {
    mkdirSync(notes, { recursive: true });
    writeFileSync(join(notes, NOTE), text);
  } catch {
    // The checkout is read-only: the models are indexed again next time.
  }
}
