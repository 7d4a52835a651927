/**
 * `npm run model -- survey FOLDER`: what becomes of all models in a folder as they are added: which are accepted at once,
 * whether their input range is known or a guess, whether their answers depend on the picture, and how far they are from
 * LiteRT where a Python has it (PYTHON names it).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { glob } from "tinyglobby";
import { LabelerError } from "../../../worker/errors.ts";
import { type InspectedModel, inspectModel } from "../../../worker/model/inspect.ts";
import { rangeOf } from "../../../worker/model/notes.ts";
import { computationOf } from "../../../worker/model/precision.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError, fromUser } from "../../command-line/command.ts";
import { Progress } from "../../command-line/progress.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { isDependent } from "./check.ts";
import { chooseLabels } from "./choose-labels.ts";
import { LiteRt } from "./litert.ts";
import { dependenceOf } from "./pictures.ts";
import { copyModel, isTrainedOnPixels, RAW_PIXELS } from "./raw-pixels.ts";
import { isTfjsFile, readSource } from "./sources.ts";

export interface Surveyed {
  readonly file: string;
  /** Why the model is refused. The fields below are present for accepted models. */
  readonly refused?: string;
  readonly input?: string;
  readonly range?: string;
  readonly guessed?: boolean;
  readonly classes?: number;
  /** Whether the classes are only numbers. */
  readonly numbered?: boolean;
  readonly engine?: string;
  /** Whether six very different pictures get different answers. */
  readonly depends?: boolean;
  /** The largest difference of any confidence from LiteRT, or why the two were not compared. */
  readonly difference?: number | string;
}

interface Trial {
  readonly folder: string;
  readonly model: InspectedModel;
}

interface Accepted extends Trial {
  readonly file: string;
  /** The same model with unscaled pixels, if its range is a guess. */
  readonly pixels?: Trial;
}

/** Copies the model into the trial folder as `add` would. @throws CommandError or LabelerError with the reason. */
async function take(file: string, folder: string): Promise<Accepted> {
  const source = await readSource(file);
  const { spec } = source;
  const { text: labels } = await chooseLabels(source, undefined, spec);
  const files = { tflite: source.tflite, labels };
  const model = await inspectModel({ ...files, spec });
  await mkdir(folder);
  await writeFile(join(folder, "model.tflite"), source.tflite);
  if (labels !== undefined) await writeFile(join(folder, "labels.txt"), labels);
  if (spec !== undefined) await writeFile(join(folder, "model.json"), spec);
  const accepted = { file, folder, model };
  if (!model.input.guessed || model.input.layout === "grey") return accepted;
  const pixels = `${folder}-pixels`;
  await copyModel(folder, pixels, { ...model.spec, input: RAW_PIXELS });
  return {
    ...accepted,
    pixels: {
      folder: pixels,
      model: await inspectModel({ ...files, spec: JSON.stringify({ ...model.spec, input: RAW_PIXELS }) }),
    },
  };
}

const describeInput = ({ width, height, layout, type }: InspectedModel["input"]): string =>
  `${width}×${height} ${layout} ${type}`;

/** The model with the range that it would have once it is added, and whether its answers depend on the picture. */
async function settle({ folder, model, pixels }: Accepted, url: string): Promise<Trial & { depends: boolean }> {
  const dependence = await dependenceOf(url, basename(folder));
  const depends = isDependent(dependence, model.input);
  if (pixels === undefined) return { folder, model, depends };
  const withPixels = await dependenceOf(url, basename(pixels.folder));
  return isTrainedOnPixels(dependence, withPixels) ? { ...pixels, depends: true } : { folder, model, depends };
}

/** Runs an accepted model. */
async function run(accepted: Accepted, url: string, litert: LiteRt | undefined): Promise<Surveyed> {
  const { file } = accepted;
  try {
    const { folder, model, depends } = await settle(accepted, url);
    const { input, labels, numbered, graph } = model;
    const name = basename(folder);
    const difference = (await litert?.difference(join(folder, "model.tflite"), model, url, name)) ?? "no LiteRT";
    return {
      file,
      input: describeInput(input),
      range: rangeOf(input),
      guessed: input.guessed,
      classes: labels.length,
      numbered,
      engine: computationOf(graph).engine,
      depends,
      difference,
    };
  } catch (error) {
    return { file, refused: (error as Error).message };
  }
}

/** The files of a folder that may be models. Of JSON files those are models that belong to TensorFlow.js. */
async function modelsIn(root: string): Promise<string[]> {
  const files = await glob("**/{*.{tflite,lite,zip,h5,keras},model.json}", { cwd: root, caseSensitiveMatch: false });
  const isModel = await Promise.all(files.map((file) => !/\.json$/i.test(file) || isTfjsFile(join(root, file))));
  return files.filter((_, i) => isModel[i]).sort();
}

/** @throws CommandError if there is no model in the folder. */
export async function survey(given: string): Promise<Surveyed[]> {
  const root = fromUser(given);
  const files = await modelsIn(root);
  if (files.length === 0) throw new CommandError(`There are no models in ${given}.`);
  const trial = mkdtempSync(join(tmpdir(), "edge-labeler-survey-"));
  const progress = new Progress(2 * files.length);
  const litert = LiteRt.start();
  const surveyed: Surveyed[] = [];
  let done = 0;
  try {
    const accepted: Accepted[] = [];
    for (const [i, file] of files.entries()) {
      try {
        accepted.push({ ...(await take(join(root, file), join(trial, `model-${i}`))), file });
      } catch (error) {
        if (!(error instanceof LabelerError || error instanceof CommandError)) throw error;
        surveyed.push({ file, refused: error.message });
      }
      progress.show(++done);
    }
    if (accepted.length === 0) return surveyed;
    const entries = new Map((await indexModels(trial)).map((entry) => [entry.name, entry]));
    const server = await startWorkerd({ models: trial, settings: { DEFAULT_MODEL: [...entries.keys()][0] ?? "" } });
    try {
      for (const one of accepted) {
        const refused = entries.get(basename(one.folder))?.error;
        surveyed.push(refused === undefined ? await run(one, server.url, litert) : { file: one.file, refused });
        progress.show(++done);
      }
    } finally {
      await server.stop();
    }
  } finally {
    progress.clear();
    litert?.stop();
    rmSync(trial, { recursive: true, force: true });
  }
  return surveyed.toSorted((a, b) => a.file.localeCompare(b.file));
}

/** The survey as a table with a summary below it. */
export function surveyText(surveyed: readonly Surveyed[]): string {
  const rows = surveyed.map(({ file, refused, input, range, guessed, numbered, engine, depends, difference }) => {
    if (refused !== undefined) return `${file}: refused. ${refused}`;
    const facts = [
      input,
      `${range}${guessed ? " (guess)" : ""}`,
      engine === "plan" ? undefined : "no plan",
      numbered ? "no labels" : undefined,
      depends ? undefined : "WARNING: answers do not depend on the picture",
      typeof difference === "number" ? `LiteRT ±${difference.toExponential(1)}` : difference,
    ];
    return `${file}: ${facts.filter((fact) => fact !== undefined).join(", ")}`;
  });
  const accepted = surveyed.filter(({ refused }) => refused === undefined);
  const count = (some: readonly Surveyed[]) => `${some.length} of ${surveyed.length}`;
  const compared = accepted.filter(({ difference }) => typeof difference === "number");
  const agreeing = compared.filter(({ difference }) => (difference as number) <= 1e-4);
  return [
    ...rows,
    "",
    `accepted at once: ${count(accepted)}`,
    `input range known: ${count(accepted.filter(({ guessed }) => !guessed))}, guessed: ${count(accepted.filter(({ guessed }) => guessed))}`,
    `answers depend on the picture: ${count(accepted.filter(({ depends }) => depends))}`,
    `within 1e-4 of LiteRT: ${agreeing.length} of ${compared.length} that were compared`,
  ].join("\n");
}
