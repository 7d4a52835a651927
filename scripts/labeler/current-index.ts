/** Indexes a folder of models, unless neither a file nor the code has changed since that was done. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addFile } from "./fingerprint.ts";

/** Digests of what an index depends on, and of the files that indexModels() writes. */
interface State {
  readonly models: string;
  readonly index: string;
}

/** A digest of the files of a folder. */
function digestOf(folder: string, names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names.toSorted()) addFile(hash, join(folder, name), name);
  return hash.digest("hex");
}

/** @returns Undefined if there is anything else than folders with files, such as a link. */
function currentState(models: string): State | undefined {
  const entries = readdirSync(models, { withFileTypes: true });
  const index = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.isFile()) continue;
    if (!entry.isDirectory()) return undefined;
    for (const file of readdirSync(join(models, entry.name), { withFileTypes: true })) {
      if (!file.isFile()) return undefined;
      files.push(join(entry.name, file.name));
    }
  }
  return { models: digestOf(models, files), index: digestOf(models, index) };
}

/** Like currentState(); undefined, too, if a file cannot be read. */
function readableState(models: string): State | undefined {
  try {
    return currentState(models);
  } catch {
    return undefined;
  }
}

// Imported here: neither the code that checks models nor that of the networks is needed for an index that is there.
const indexAnew = async (models: string): Promise<unknown> =>
  (await import("../build/model-index.ts")).indexModels(models);

/**
 * Writes index.json of a folder of models, as indexModels() does.
 *
 * @param notes A folder for what is noted about these models and this state of the code; it need not exist.
 * @throws CommandError as indexModels() does.
 */
export async function ensureIndex(models: string, notes: string, indexModels = indexAnew): Promise<void> {
  const before = readableState(models);
  if (before !== undefined && readNote(notes) === JSON.stringify(before)) return;
  await indexModels(models);
  const after = readableState(models);
  // Not if a file has changed meanwhile.
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
