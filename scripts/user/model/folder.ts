/** Adds models to the models folder and removes them; each is checked by the Worker's own code. */
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { MODEL_NAME } from "../../../worker/model/names.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError, fromUser } from "../../command-line/command.ts";
import { chooseLabels } from "./choose-labels.ts";
import { findModel } from "./installed.ts";
import { isTfjsFile, readSource } from "./sources.ts";

/** Thrown for a mistake of the user, with what to do instead. */
class ModelError extends CommandError {
  override name = "ModelError";

  constructor(message: string) {
    super(message, 1);
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Derives a folder's name from a file's: "My Model (v2).tflite" becomes my-model-v2. */
export const nameOf = (file: string): string =>
  basename(file)
    .replace(/\.(tflite|json|zip|h5|hdf5|keras)$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, "-")
    .replace(/^[-._]+|[-._]+$/g, "")
    .slice(0, 64);

export interface Addition {
  /** A .tflite file, a model of Keras or TensorFlow.js, an archive that has one, or the model.json of a derived model. */
  readonly file: string;
  /**
   * A list of classes in a format of label-files.ts; if absent, the labels come from inside or beside the file, or from
   * the base.
   */
  readonly labels: string | undefined;
  /** A model.json beside a .tflite file. */
  readonly spec: string | undefined;
  /** The file that a derived model names as its groups. */
  readonly groups: string | undefined;
  readonly name: string;
}

/** Writes the files of a model with a network of its own into a folder. @returns Notes for the user, as sentences. */
async function copyNetwork(folder: string, { file, labels, spec }: Addition): Promise<readonly string[]> {
  const source = await readSource(file);
  await writeFile(join(folder, "model.tflite"), source.tflite);
  const json = spec === undefined ? source.spec : await readFile(fromUser(spec), "utf8");
  if (json !== undefined) await writeFile(join(folder, "model.json"), json);
  const { text, notes } = await chooseLabels(source, labels, json);
  if (text !== undefined) await writeFile(join(folder, "labels.txt"), text);
  return [...(source.notes ?? []), ...notes];
}

/**
 * Copies the files of a model into a folder of its own. If the model cannot be used, nothing of it stays.
 *
 * @throws ModelError that says why it cannot be used, or that the name is taken.
 */
export async function addModel(models: string, addition: Addition): Promise<IndexEntry> {
  const { file, labels, spec, groups, name } = addition;
  const isDerived = /\.json$/i.test(file) && !(await isTfjsFile(file));
  if (isDerived && spec !== undefined) throw new ModelError(`${file} is a model.json itself: leave --spec out.`);
  for (const path of [file, labels, spec, groups]) {
    if (path !== undefined && /^https?:\/\//.test(path))
      throw new ModelError(`${path} is an address, and files are read here. Download it: curl -sSLO ADDRESS`);
    if (path !== undefined && !(await exists(fromUser(path)))) throw new ModelError(`There is no file ${path}.`);
  }
  if (!MODEL_NAME.test(name)) {
    throw new ModelError(`"${name}" cannot be a model's name: letters, digits, dots, dashes and underscores only.`);
  }
  const folder = join(models, name);
  if (await exists(folder)) {
    throw new ModelError(`There is a model "${name}" already; choose another name with --name, or remove it first.`);
  }
  // A running labeler sees the complete model or nothing: it skips folders whose names begin with a dot.
  const staging = join(models, `.${name}`);
  const notes: string[] = [];
  try {
    await rm(staging, { recursive: true, force: true }); // What an interrupted command has left.
    await mkdir(staging);
    if (isDerived) {
      await copyFile(fromUser(file), join(staging, "model.json"));
      if (labels !== undefined) await copyFile(fromUser(labels), join(staging, "labels.txt"));
    } else {
      notes.push(...(await copyNetwork(staging, addition)));
    }
    if (groups !== undefined) await copyFile(fromUser(groups), join(staging, "groups.txt"));
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
  const entry = (await indexModels(models)).find((model) => model.name === name);
  if (entry?.error === undefined && entry !== undefined) {
    return notes.length === 0 ? entry : { ...entry, notes: [...notes, ...(entry.notes ?? [])] };
  }
  await rm(folder, { recursive: true });
  await indexModels(models);
  const error = entry?.error?.replace(join(folder, "model.tflite"), file).replace(folder, file);
  throw new ModelError(error ?? `${name} is not a model.`);
}

/** @throws CommandError if the model does not exist, or others derive from it. */
export async function removeModel(models: string, name: string): Promise<void> {
  const entries = await indexModels(models);
  findModel(entries, name);
  const derived = entries.filter(({ base }) => base === name).map((model) => model.name);
  if (derived.length > 0) {
    const others = derived.join(", ");
    throw new ModelError(
      `${others} ${derived.length === 1 ? "derives" : "derive"} from ${name}. Remove ${others} first.`,
    );
  }
  await rm(join(models, name), { recursive: true }).catch((error: Error) => {
    throw new ModelError(`${name} cannot be removed: ${error.message}. Run the command as the owner of ${models}.`);
  });
  await indexModels(models);
}
