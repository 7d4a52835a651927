/** Indexes a folder of models, unless neither a file nor the code has changed since that was done. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addFile } from "./fingerprint.ts";

/** Digests of what an index depends on, and of the files that indexModels() writes. */
interface Contents {
  readonly models: string;
  readonly index: string;
}

/** What is noted of a folder of models whose index is right. */
interface Note {
  readonly contents: Contents;
  /** The inodes of the files, if they tell any later change; see inodesOf(). */
  readonly inodes?: string | undefined;
}

/** The files of a folder of models. */
interface Files {
  /** Those of the models, such as "flowers/model.tflite". */
  readonly models: readonly string[];
  /** Those that indexModels() writes. */
  readonly index: readonly string[];
}

/** @returns Undefined if there is anything else than folders with files, such as a link, or if a folder cannot be read. */
function filesOf(root: string): Files | undefined {
  const [models, index]: [string[], string[]] = [[], []];
  try {
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      if (entry.isFile()) index.push(entry.name);
      else if (!entry.isDirectory()) return undefined;
      else {
        for (const file of readdirSync(join(root, entry.name), { withFileTypes: true })) {
          if (!file.isFile()) return undefined;
          models.push(join(entry.name, file.name));
        }
      }
    }
  } catch {
    return undefined;
  }
  return { models: models.sort(), index: index.sort() };
}

/** A digest of files in a folder. */
function digestOf(folder: string, names: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of names) addFile(hash, join(folder, name), name);
  return hash.digest("hex");
}

/** @returns Undefined, too, if a file cannot be read. */
function contentsOf(root: string): Contents | undefined {
  const files = filesOf(root);
  try {
    return files && { models: digestOf(root, files.models), index: digestOf(root, files.index) };
  } catch {
    return undefined;
  }
}

/** How long a file must be unchanged so that the time of any later change differs, whatever the clock of its file system. */
const SETTLED_NS = 2_000_000_000n;

/**
 * What the system knows about the files of a folder of models, so that 30 MB need not be read at every start. A file that is
 * written has another time of its inode's change, which no program can set, unlike the time of its contents; a copy has
 * another inode.
 *
 * @returns Undefined if a file has just changed, or cannot be found.
 */
function inodesOf(root: string): string | undefined {
  const files = filesOf(root);
  if (files === undefined) return undefined;
  const settled = BigInt(Date.now()) * 1_000_000n - SETTLED_NS;
  const lines: string[] = [];
  try {
    for (const name of [...files.index, ...files.models]) {
      const { dev, ino, size, mtimeNs, ctimeNs } = statSync(join(root, name), { bigint: true });
      if (ctimeNs > settled) return undefined;
      lines.push([name, dev, ino, size, mtimeNs, ctimeNs].join(" "));
    }
  } catch {
    return undefined;
  }
  return lines.join("\n");
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
  const note = readNote(notes);
  const inodes = inodesOf(models); // before the contents, so that a change in between is seen next time
  if (inodes !== undefined && inodes === note?.inodes) return;
  const before = contentsOf(models);
  if (before?.models === note?.contents?.models && before?.index === note?.contents?.index && before !== undefined) {
    writeNote(notes, { contents: before, inodes });
    return;
  }
  await indexModels(models);
  const after = contentsOf(models);
  // Not if a file has changed meanwhile.
  if (after !== undefined && after.models === before?.models) writeNote(notes, { contents: after });
}

const NOTE = "index.json";

function readNote(notes: string): Partial<Note> | undefined {
  try {
    return JSON.parse(readFileSync(join(notes, NOTE), "utf8"));
  } catch {
    return undefined;
  }
}

function writeNote(notes: string, note: Note): void {
  try {
    mkdirSync(notes, { recursive: true });
    writeFileSync(join(notes, NOTE), JSON.stringify(note));
  } catch {
    // The checkout is read-only: the models are indexed again next time.
  }
}
