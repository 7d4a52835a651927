/** Looks through model-assets/, judges each folder by the Worker's own code, and writes what is there to index.json. */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { LabelerError } from "../../worker/errors.ts";
import { type IndexEntry, type ModelIndex, tooLargeToDeploy } from "../../worker/model/index-entry.ts";
import { inspectModel } from "../../worker/model/inspect.ts";
import { computationOf } from "../../worker/model/precision.ts";
import { oneOf } from "../../worker/validation/words.ts";
import { CommandError } from "../command-line/command.ts";
import { writeIfNew } from "./write-if-new.ts";

export const MODELS = "model-assets";

/** A name goes into URLs and query strings as it is. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const readText = (path: string) => readFile(path, "utf8").catch(() => undefined);

/** The files of a model's folder; undefined where one is not there. */
async function readFolder(folder: string) {
  return {
    labels: await readText(join(folder, "labels.txt")),
    spec: await readText(join(folder, "model.json")),
    tflite: await readFile(join(folder, "model.tflite")).then(
      (buffer) => new Uint8Array(buffer),
      () => undefined,
    ),
  };
}

/**
 * The labels of a model in the order of its classes.
 *
 * @throws LabelerError of kind model-unusable if it cannot be used.
 */
export async function labelsOfModel(root: string, name: string): Promise<readonly string[]> {
  const { tflite, ...files } = await readFolder(join(root, name));
  if (tflite === undefined) throw new LabelerError("model-unusable", `${join(root, name)} has no model.tflite.`);
  return (await inspectModel({ tflite, ...files })).labels;
}

async function judge(root: string, name: string): Promise<IndexEntry> {
  const folder = join(root, name);
  const { labels, spec, tflite } = await readFolder(folder);
  const files = [
    ...(labels === undefined ? [] : (["labels.txt"] as const)),
    ...(spec === undefined ? [] : (["model.json"] as const)),
  ];
  const path = join(folder, "model.tflite");
  if (tflite === undefined) return { name, files, bytes: 0, sha256: "", error: `${path} is missing.` };
  const sha256 = createHash("sha256").update(tflite).digest("hex");
  const version = createHash("sha256")
    .update(JSON.stringify([sha256, labels, spec]))
    .digest("hex")
    .slice(0, 16);
  const found = { name, files, bytes: tflite.length, sha256, version };
  try {
    if (!MODEL_NAME.test(name)) {
      throw new LabelerError(
        "model-unusable",
        "A folder's name may have letters, digits, dots, dashes and underscores only.",
      );
    }
    const model = await inspectModel({ tflite, labels, spec });
    if (model.spec.sha256 !== undefined && model.spec.sha256 !== sha256) {
      throw new LabelerError(
        "model-unusable",
        `model.tflite has the SHA-256 ${sha256}, but model.json says ${model.spec.sha256}.`,
      );
    }
    const { precisions, ...computation } = computationOf(model.graph);
    const { precision = precisions[0] } = model.spec;
    if (!precisions.includes(precision)) {
      throw new LabelerError("model-unusable", `model.json, precision: the model can be ${oneOf(precisions)}.`);
    }
    const { width, height, type, layout, normalization } = model.input;
    return {
      ...found,
      ...(model.description === undefined ? {} : { description: model.description }),
      input: { width, height, type, layout, ...(normalization && { normalization }) },
      classes: model.labels.length,
      crop: model.crop,
      precisions,
      precision,
      ...computation,
      ...(model.spec.source === undefined ? {} : { source: model.spec.source }),
      ...(model.spec.licence === undefined ? {} : { licence: model.spec.licence }),
    };
  } catch (error) {
    if (!(error instanceof LabelerError)) throw error;
    return { ...found, error: `${path}: ${error.message}` };
  }
}

/** Has wrangler leave out what it would end for, Cloudflare's limit on static files being its own. */
async function writeIgnored(root: string, models: readonly IndexEntry[]): Promise<void> {
  const path = join(root, ".assetsignore");
  const large = models.filter(tooLargeToDeploy).map(({ name }) => `/${name}/model.tflite\n`);
  if (large.length === 0) await rm(path, { force: true });
  else
    await writeIfNew(
      path,
      `# Written by npm start and the like: files that are too large for wrangler\n${large.join("")}`,
    );
}

/**
 * Judges every folder in `root` and writes its index.json, and .assetsignore for wrangler; leaves the files alone where they
 * are right, for watchers' sake.
 *
 * @param index The folder of index.json and .assetsignore, where it is not `root`.
 */
export async function indexModels(root: string = MODELS, index: string = root): Promise<readonly IndexEntry[]> {
  const models: IndexEntry[] = [];
  const names = await readdir(root).catch((error: Error) => {
    throw new CommandError(`The folder of models cannot be read: ${error.message}`);
  });
  for (const name of names.sort()) {
    if (name.startsWith(".")) continue; // a model that is still being copied, or a program's own
    if ((await stat(join(root, name))).isDirectory()) models.push(await judge(root, name));
  }
  const json = `${JSON.stringify({ models } satisfies ModelIndex, undefined, 2)}\n`;
  await writeIfNew(join(index, "index.json"), json);
  await writeIgnored(index, models);
  return models;
}
