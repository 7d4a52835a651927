/** Checks each folder of model-assets/ by the Worker's own code, and lists the models in index.json. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { LabelerError } from "../../worker/errors.ts";
import { readDerived } from "../../worker/model/derived.ts";
import { parseDerivedSpec } from "../../worker/model/derived-spec.ts";
import { type IndexEntry, MAX_ASSET_BYTES, type ModelIndex } from "../../worker/model/index-entry.ts";
import { type InspectedModel, inspectModel, type ModelFiles } from "../../worker/model/inspect.ts";
import { FILE_NAME, MODEL_NAME } from "../../worker/model/names.ts";
import { notesOn } from "../../worker/model/notes.ts";
import { computationOf } from "../../worker/model/precision.ts";
import { oneOf } from "../../worker/validation/words.ts";
import { CommandError } from "../command-line/command.ts";
import { judgeDerived } from "./derived-index.ts";
import { digest, freeFile, MODELS, NotedFiles, readFrom, text, told, unusable } from "./model-files.ts";
import { writeIfNew } from "./write-if-new.ts";

export { MODELS } from "./model-files.ts";

/** The files of a model's folder; undefined for a file that does not exist. */
async function readFolder(root: string, name: string, read = readFrom(root)) {
  return {
    labels: text(await read(`${name}/labels.txt`)),
    spec: text(await read(`${name}/model.json`)),
    tflite: await read(`${name}/model.tflite`),
  };
}

/**
 * What a model's folder states about its network.
 *
 * @throws LabelerError of kind model-unusable if the model cannot be used, or has no network of its own.
 */
export async function inspectFolder(root: string, name: string): Promise<InspectedModel> {
  const { tflite, ...files } = await readFolder(root, name);
  if (tflite === undefined) throw unusable(`${join(root, name)} has no model.tflite.`);
  return inspectModel({ tflite, ...files });
}

export interface ModelWords {
  /** The names of the classes, in the order of the network's outputs. */
  readonly classes: readonly string[];
  /**
   * The label that stands for a class: its own name, or that of its group; undefined for a class that is never
   * answered.
   */
  readonly labels: ReadonlyMap<string, string>;
}

/**
 * The labels of a model.
 *
 * @throws LabelerError of kind model-unusable if the model cannot be used.
 */
export async function wordsOfModel(root: string, name: string): Promise<ModelWords> {
  const { tflite, ...files } = await readFolder(root, name);
  const plain = (classes: readonly string[]) => ({ classes, labels: new Map(classes.map((label) => [label, label])) });
  if (tflite !== undefined) return plain((await inspectModel({ tflite, ...files })).labels);
  const derived = await readDerived(name, readFrom(root));
  const base = derived && (await readFolder(root, derived.spec.base));
  if (base?.tflite === undefined) throw unusable(`${join(root, name)} has no model.tflite.`);
  const { labels: baseClasses } = await inspectModel({ ...base, tflite: base.tflite });
  if (derived === undefined) return plain(baseClasses);
  const classes = derived.names(baseClasses);
  const { labels, members } = derived.vocabulary(baseClasses);
  if (members === undefined) return plain(classes);
  const pairs = labels.flatMap((label, at) =>
    (members[at] ?? []).map((index) => [classes[index] ?? "", label] as const),
  );
  return { classes, labels: new Map(pairs) };
}

/**
 * The names of a model's classes, in the order of the network's outputs.
 *
 * @throws LabelerError of kind model-unusable if the model cannot be used.
 */
export const labelsOfModel = async (root: string, name: string): Promise<readonly string[]> =>
  (await wordsOfModel(root, name)).classes;

/** The index entry of a model with a network of its own, from its files. */
async function judgeNetwork(name: string, sha256: string, files: ModelFiles): Promise<Partial<IndexEntry>> {
  if (!MODEL_NAME.test(name)) {
    throw unusable("A folder's name may have letters, digits, dots, dashes and underscores only.");
  }
  if (files.spec !== undefined && parseDerivedSpec(files.spec) !== undefined) {
    throw unusable("model.json names a base, and there is a model.tflite beside it. Keep one of the two.");
  }
  const model = await inspectModel(files);
  if (model.spec.sha256 !== undefined && model.spec.sha256 !== sha256) {
    throw unusable(`model.tflite has the SHA-256 ${sha256}, but model.json says ${model.spec.sha256}.`);
  }
  const { precisions, ...computation } = computationOf(model.graph);
  const { precision = precisions[0] } = model.spec;
  if (!precisions.includes(precision)) {
    throw unusable(`model.json, precision: the model can be ${oneOf(precisions)}.`);
  }
  const { width, height, type, layout, normalization } = model.input;
  const notes = notesOn(model);
  return {
    input: { width, height, type, layout, ...(normalization && { normalization }) },
    classes: model.labels.length,
    crop: model.crop,
    precisions,
    precision,
    ...computation,
    ...told({ ...model.spec, description: model.description }),
    ...(notes.length > 0 && { notes }),
  };
}

/** What judge() found, by folder and state of its files: a program may index a folder several times. */
const judged = new Map<string, { readonly version: string; readonly entry: IndexEntry }>();

/** @returns Undefined for a folder without a model.tflite. */
async function judge(root: string, name: string): Promise<IndexEntry | undefined> {
  const noted = new NotedFiles(root);
  const { labels, spec, tflite } = await readFolder(root, name, noted.read);
  if (tflite === undefined) return undefined;
  const [folder, version] = [join(root, name), noted.version()];
  const before = judged.get(folder);
  if (before?.version === version) {
    freeFile(tflite);
    return before.entry;
  }
  const sha256 = noted.digests[`${name}/model.tflite`] ?? digest(tflite);
  const found = { name, files: noted.digests, bytes: tflite.length, sha256, version };
  const entry = await judgeNetwork(name, sha256, { tflite, labels, spec }).then(
    (network): IndexEntry => ({ ...found, ...network }),
    (error): IndexEntry => {
      if (!(error instanceof LabelerError)) throw error;
      return { ...found, error: `${join(folder, "model.tflite")}: ${error.message}` };
    },
  );
  freeFile(tflite);
  judged.set(folder, { version, entry });
  return entry;
}

/** The files of the models' folders that wrangler can serve, as paths from the root. */
async function servableFiles(root: string): Promise<string[]> {
  const paths: string[] = [];
  for (const folder of (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    if (!MODEL_NAME.test(folder.name)) continue;
    for (const name of await readdir(join(root, folder.name)).catch(() => [])) {
      const found = await stat(join(root, folder.name, name)).catch(() => undefined);
      if (FILE_NAME.test(name) && found?.isFile() && found.size <= MAX_ASSET_BYTES)
        paths.push(`/${folder.name}/${name}`);
    }
  }
  return paths.sort();
}

/**
 * Has wrangler serve only files that were seen here: it would end for one that is larger than Cloudflare allows, wherever in
 * the folder and whenever it is put there.
 */
async function writeIgnored(root: string, index: string): Promise<void> {
  const patterns = ["/*", "!/*/", "!/index.json", "/*/*", ...(await servableFiles(root)).map((path) => `!${path}`)];
  await writeIfNew(
    join(index, ".assetsignore"),
    `# Written by npm start and the like: the files that wrangler serves\n${patterns.join("\n")}\n`,
  );
}

export interface IndexOptions {
  /** The folder of index.json and .assetsignore, where it is not that of the models. */
  readonly index?: string | undefined;
  /** Names of models whose files have just changed, so that what is wrong with them may pass. */
  readonly changing?: ReadonlySet<string>;
}

/**
 * Checks every folder in `root`, and writes index.json, and .assetsignore for wrangler. Files that are right already
 * are not written, so that watchers do not react.
 *
 */
export async function indexModels(
  root: string = MODELS,
  { index = root, changing = new Set() }: IndexOptions = {},
): Promise<readonly IndexEntry[]> {
  const networks: IndexEntry[] = [];
  const without: string[] = [];
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new CommandError(`There is no folder of models ${root}. Make it: mkdir -p ${root}`);
    throw new CommandError(`The folder of models cannot be read: ${error.message}`);
  });
  for (const name of names.sort()) {
    if (name.startsWith(".")) continue; // a model that is still being copied, or a program's own
    const isFolder = await stat(join(root, name)).then(
      (found) => found.isDirectory(),
      () => false, // removed in the meantime
    );
    if (!isFolder) continue;
    const entry = await judge(root, name);
    if (entry === undefined) without.push(name);
    else networks.push(entry);
  }
  const labelsOf = (name: string) => labelsOfModel(root, name);
  const derived = await judgeDerived(root, without, { networks, labelsOf });
  const may = ({ name, base, error }: IndexEntry) =>
    error !== undefined && [name, base].some((one) => one !== undefined && changing.has(one));
  const models = [...networks, ...derived].map((entry) => (may(entry) ? { ...entry, changing: true } : entry));
  models.sort((a, b) => (a.name < b.name ? -1 : 1));
  const json = `${JSON.stringify({ models } satisfies ModelIndex, undefined, 2)}\n`;
  await writeIfNew(join(index, "index.json"), json);
  await writeIgnored(root, index);
  return models;
}
