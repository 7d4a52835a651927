/**
 * Finds networks that were trained on unscaled pixels, which their weights do not show. Where the range is a guess, and the
 * answers to very different pictures are nearly alike at the guessed range but neither alike nor saturated at 0…255, the
 * latter is the better guess: the activations of a network without batch normalisation grow with its input, and so do the
 * differences of its scores. Of 47 public repositories with a guessed range, this is so for the two that train thus. It
 * is not for grey networks, which recognise digits or faces rather than what is in these pictures.
 */
import { copyFile, link, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { isGuess } from "../../../worker/model/notes.ts";
import { type ModelSpec, parseSpec } from "../../../worker/model/spec.ts";
import { indexModels } from "../../build/model-index.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { type Dependence, dependenceOf } from "./pictures.ts";

/** The field `input` of model.json for it. */
export const RAW_PIXELS = { mean: 0, std: 1, guessed: true } as const;

/** Answers that differ by less than this on average are nearly alike. */
const ALIKE = 0.3;
/** Answers that differ by more than this on average depend on the picture as those of a good network do. */
const DIFFERENT = 0.4;
/** Networks that receive far too large values are certain of everything. */
const SATURATED = 0.95;

/** Whether unscaled pixels are plausible rather than the guessed range, by the answers with each. */
export const isTrainedOnPixels = (guessed: Dependence, pixels: Dependence): boolean =>
  guessed.mean < ALIKE && pixels.mean > DIFFERENT && pixels.confidence < SATURATED;

/** What a model's model.json says. */
const readSpec = async (models: string, name: string): Promise<ModelSpec> =>
  parseSpec(await readFile(join(models, name, "model.json"), "utf8").catch(() => "{}"));

/** Copies a model into a new folder, with another model.json. */
export async function copyModel(from: string, to: string, spec: object): Promise<void> {
  await mkdir(to);
  const [source, target] = [join(from, "model.tflite"), join(to, "model.tflite")];
  await link(source, target).catch(() => copyFile(source, target));
  await copyFile(join(from, "labels.txt"), join(to, "labels.txt")).catch(() => undefined);
  await writeFile(join(to, "model.json"), JSON.stringify(spec));
}

/** Labels the pictures with a model at both ranges. @throws Error if it gives no answer. */
async function tryBoth(models: string, name: string, spec: object): Promise<boolean> {
  const trial = await mkdtemp(join(models, ".range-"));
  try {
    await copyModel(join(models, name), join(trial, "guessed"), spec);
    await copyModel(join(models, name), join(trial, "pixels"), { ...spec, input: RAW_PIXELS });
    const server = await startWorkerd({
      models: trial,
      settings: { DEFAULT_MODEL: "guessed", CACHE_ANSWERS: "false" },
    });
    try {
      const guessed = await dependenceOf(server.url, "guessed");
      return guessed.mean < ALIKE && isTrainedOnPixels(guessed, await dependenceOf(server.url, "pixels"));
    } finally {
      await server.stop();
    }
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

/** Whether a model, whose input range is a guess, was probably trained on unscaled pixels instead. */
export async function pixelsAreLikelier(models: string, entry: IndexEntry): Promise<boolean> {
  const { name, base, error, input } = entry;
  if (base !== undefined || error !== undefined || !isGuess(entry) || input?.layout === "grey") return false;
  const spec = await readSpec(models, name);
  // A network that cannot be computed is reported by `check`, and by the first request.
  return spec.input === undefined && (await tryBoth(models, name, spec).catch(() => false));
}

/**
 * Improves the guess of a range, if it is one, and writes a better one into model.json, where it is marked as a guess.
 *
 * @returns The model as it is then.
 */
export async function improveGuess(models: string, entry: IndexEntry): Promise<IndexEntry> {
  if (!(await pixelsAreLikelier(models, entry))) return entry;
  const { name } = entry;
  const spec = { ...(await readSpec(models, name)), input: RAW_PIXELS };
  await writeFile(join(models, name, "model.json"), `${JSON.stringify(spec, undefined, 2)}\n`);
  const improved = (await indexModels(models)).find((model) => model.name === name) ?? entry;
  const note = "Very different pictures got nearly the same answer with 0…1, and different ones with unscaled pixels.";
  return { ...improved, notes: [note, ...(improved.notes ?? [])] };
}
