/** Puts a model into the folder of models, and takes one out; each is judged by the Worker's own code. */
import { copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { MODEL_NAME } from "../../../worker/model/names.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError, fromUser } from "../../command-line/command.ts";

/** What a user did wrong, with what to do instead. */
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

/** A folder's name made of a file's: "My Model (v2).tflite" becomes my-model-v2. */
export const nameOf = (file: string): string =>
  basename(file)
    .replace(/\.(tflite|json)$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, "-")
    .replace(/^[-._]+|[-._]+$/g, "")
    .slice(0, 64);

export interface Addition {
  /** The .tflite file, or the model.json of a derived model. */
  readonly file: string;
  /** A line a class; where absent, the labels are those inside the file, or the base's. */
  readonly labels: string | undefined;
  /** A model.json beside a .tflite file. */
  readonly spec: string | undefined;
  /** The file that a derived model names as its groups. */
  readonly groups: string | undefined;
  readonly name: string;
}

/**
 * Copies the files of a model into a folder of its own. Nothing of it stays if the model cannot be used.
 *
 * @throws ModelError that says why it cannot be used, or that the name is taken.
 */
export async function addModel(models: string, addition: Addition): Promise<IndexEntry> {
  const { file, labels, spec, groups, name } = addition;
  const isDerived = /\.json$/i.test(file);
  if (isDerived && spec !== undefined) throw new ModelError(`${file} is a model.json itself: leave --spec out.`);
  for (const path of [file, labels, spec, groups]) {
    if (path !== undefined && !(await exists(fromUser(path)))) throw new ModelError(`There is no file ${path}.`);
  }
  if (!MODEL_NAME.test(name)) {
    throw new ModelError(`"${name}" cannot be a model's name: letters, digits, dots, dashes and underscores only.`);
  }
  const folder = join(models, name);
  if (await exists(folder)) {
    throw new ModelError(`There is a model "${name}" already; choose another name with --name, or remove it first.`);
  }
  // Whole or not at all, as a labeler that runs sees it: a folder with a dot in front is no model.
  const staging = join(models, `.${name}`);
  try {
    await mkdir(staging);
    await copyFile(fromUser(file), join(staging, isDerived ? "model.json" : "model.tflite"));
    if (labels !== undefined) await copyFile(fromUser(labels), join(staging, "labels.txt"));
    if (spec !== undefined) await copyFile(fromUser(spec), join(staging, "model.json"));
    if (groups !== undefined) await copyFile(fromUser(groups), join(staging, "groups.txt"));
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
  const entry = (await indexModels(models)).find((model) => model.name === name);
  if (entry?.error === undefined && entry !== undefined) return entry;
  await rm(folder, { recursive: true });
  await indexModels(models);
  const error = entry?.error?.replace(join(folder, "model.tflite"), file).replace(folder, file);
  throw new ModelError(error ?? `${name} is no model.`);
}

/** @throws ModelError if there is no such model, or others derive from it. */
export async function removeModel(models: string, name: string): Promise<void> {
  const entries = await indexModels(models);
  const found = entries.some((model) => model.name === name);
  if (!found) throw new ModelError(`There is no model "${name}"; npm run model -- list shows what there is.`);
  const derived = entries.filter(({ base }) => base === name).map((model) => model.name);
  if (derived.length > 0) {
    const others = derived.join(", ");
    throw new ModelError(
      `${others} ${derived.length === 1 ? "derives" : "derive"} from ${name}. Remove ${others} first.`,
    );
  }
  await rm(join(models, name), { recursive: true });
  await indexModels(models);
}
