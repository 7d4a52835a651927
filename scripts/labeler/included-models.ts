/**
 * Copies the models that a package includes into the folder of a user's models, and updates them with the package. What the
 * user has changed or removed stays so.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../command-line/command.ts";

/** The digest of each included model that was copied, by its name. The index of the models skips names with a dot. */
const RECORD = ".included.json";

type Digests = Readonly<Record<string, string>>;

const modelsIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name);

/** The SHA-256 of a model's files, with their names. */
export function digestOfModel(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) {
    const contents = readFileSync(join(folder, name));
    hash.update(`${name} ${contents.length}\n`).update(contents);
  }
  return hash.digest("hex");
}

function readDigests(file: string): Digests {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {}; // Nothing was copied before.
  }
}

/** Replaces a model as a whole, so that a labeler never sees half of it. */
function copyModel(from: string, folder: string, name: string): void {
  const aside = join(folder, `.${name}.new`);
  rmSync(aside, { recursive: true, force: true });
  cpSync(from, aside, { recursive: true });
  rmSync(join(folder, name), { recursive: true, force: true });
  renameSync(aside, join(folder, name));
}

/** Writes the digests of the included models beside them, where a package is made. @param included Their folder. */
export function recordIncluded(included: string): void {
  const digests: Digests = Object.fromEntries(
    modelsIn(included).map((name) => [name, digestOfModel(join(included, name))]),
  );
  writeFileSync(join(included, RECORD), `${JSON.stringify(digests, undefined, 2)}\n`);
}

function copyAll(included: string, folder: string): void {
  const wanted = readDigests(join(included, RECORD));
  const had = readDigests(join(folder, RECORD));
  if (Object.entries(wanted).every(([name, digest]) => had[name] === digest)) return;
  mkdirSync(folder, { recursive: true });
  for (const [name, digest] of Object.entries(wanted)) {
    const own = join(folder, name);
    const isNew = had[name] === undefined && !existsSync(own);
    const isUnchanged = () => had[name] !== digest && existsSync(own) && digestOfModel(own) === had[name];
    if (isNew || isUnchanged()) copyModel(join(included, name), folder, name);
  }
  const record = join(folder, RECORD);
  writeFileSync(`${record}.new`, `${JSON.stringify({ ...had, ...wanted }, undefined, 2)}\n`);
  renameSync(`${record}.new`, record);
}

/**
 * Copies included models that the folder never had, and replaces those that are as they were copied and have changed since
 * in the package.
 *
 * @param included The folder of the included models, in which recordIncluded() has written their digests.
 * @param folder The user's folder, which is created.
 * @throws CommandError if the folder cannot be written to.
 */
export function includeModels(included: string, folder: string): void {
  try {
    copyAll(included, folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandError(
      `The included models cannot be copied to ${folder}: ${message}. Name a folder that this user may write to with ` +
        "--models or LABELER_MODELS.",
      1,
    );
  }
}
