/**
 * `npm run evaluate -- DIR`: measures how often models are right about images of known class, by the same code in a
 * local workerd.
 */
import { FRACTIONS_FORM, writeFractions } from "../../worker/image/fractions.ts";
import { parseCrop } from "../../worker/model/crop.ts";
import type { IndexEntry } from "../../worker/model/index-entry.ts";
import { indexModels, MODELS, wordsOfModel } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand, UsageError, type Values } from "../command-line/command.ts";
import { inOrder } from "../command-line/in-order.ts";
import { Progress } from "../command-line/progress.ts";
import { startWorkerd } from "../labeler/workerd.ts";
import { Classes, classNamesOf, readSynsets, UnknownClass } from "./evaluate/classes.ts";
import { agreementOf, figuresOf, passes, type Run } from "./evaluate/figures.ts";
import { type Result, table } from "./evaluate/table.ts";
import type { Answer } from "./label/answers.ts";
import { ask, type Server } from "./label/ask.ts";
import { type Image, imagesOfAll } from "./label/images.ts";

const usage = `npm run evaluate -- [options] DIR

Labels the images in DIR and compares the labels with their classes, which the names of folders (DIR/peacock/1.jpg) or
files (DIR/peacock_1.jpg) state. Prints how often the class was the top-1 label or among the first five, and how often a
precision gives the same label as exact. A class is named by its label or one of the names in it, by its number, or by
its ImageNet synset (n01806143, n01806143_peacock).

  --model NAME      the model; may be given several times (all)
  --precision P     exact, fast or quantised; may be given several times (all that the model supports)
  --crop C          squash, center or x0,y0,x1,y1; may be given several times (the model's own)
  --models FOLDER   the folder of models (${MODELS})
  --json            one object instead of a table

Exits with 0 if every image was labelled, 1 if one was not or belongs to none of the model's classes, 2 if nothing could
be done.`;

const options = {
  model: { type: "string", multiple: true },
  precision: { type: "string", multiple: true },
  crop: { type: "string", multiple: true },
  models: { type: "string" },
  json: { type: "boolean" },
} as const;

/** A model, its images of known class, and how to run it. */
interface Job {
  readonly model: string;
  readonly precisions: readonly string[];
  readonly crops: readonly string[];
  readonly images: readonly Image[];
  readonly truths: readonly string[];
  /** Images that belong to none of the model's classes, with the reason. */
  readonly unknown: readonly Answer[];
}

function choose(entries: readonly IndexEntry[], names: readonly string[] | undefined): readonly IndexEntry[] {
  const chosen = names?.map((name) => {
    const entry = entries.find((candidate) => candidate.name === name);
    if (entry === undefined) {
      throw new CommandError(
        `There is no model "${name}". There are: ${entries.map((e) => e.name).join(", ") || "none"}.`,
      );
    }
    if (entry.error !== undefined) throw new CommandError(entry.error);
    return entry;
  });
  const usable = chosen ?? entries.filter(({ error, regions }) => error === undefined && regions === undefined);
  const parted = usable.find(({ regions }) => regions !== undefined);
  if (parted === undefined) return usable;
  throw new CommandError(
    `The model "${parted.name}" looks at several regions, and an image has one class here. Evaluate its base ` +
      `"${parted.base}" with --crop x0,y0,x1,y1 of a region.`,
  );
}

interface Truths {
  readonly classes: Classes;
  /** The label that stands for a class. */
  readonly labels: ReadonlyMap<string, string>;
}

function jobOf(entry: IndexEntry, folder: string, images: readonly Image[], truths: Truths, asked: Asked): Job {
  const { name, precisions = [], crop = "squash" } = entry;
  const wanted = asked.precision?.filter((precision) => precisions.some((known) => known === precision)) ?? precisions;
  const known: { image: Image; truth: string }[] = [];
  const unknown: Answer[] = [];
  for (const image of images) {
    try {
      const name = truths.classes.labelOf(classNamesOf(folder, image.name));
      const truth = truths.labels.get(name);
      if (truth === undefined) throw new UnknownClass(`The model does not answer with "${name}".`);
      known.push({ image, truth });
    } catch (error) {
      if (!(error instanceof UnknownClass)) throw error;
      unknown.push({ file: image.name, error: error.message });
    }
  }
  return {
    model: name,
    precisions: wanted,
    crops: asked.crop ?? [typeof crop === "string" ? crop : writeFractions(crop)],
    images: known.map(({ image }) => image),
    truths: known.map(({ truth }) => truth),
    unknown,
  };
}

interface Asked {
  readonly precision?: readonly string[] | undefined;
  readonly crop?: readonly string[] | undefined;
}

async function run(server: Server, query: URLSearchParams, job: Job, show: () => void): Promise<Run> {
  const [first] = job.images;
  if (first !== undefined) await ask(server, query, first); // Loads the model.
  const start = performance.now();
  const answers: Answer[] = [];
  await inOrder(
    job.images,
    (image) => ask(server, query, image),
    (answer) => {
      answers.push(answer);
      show();
    },
  );
  return { truths: job.truths, answers, seconds: (performance.now() - start) / 1000 };
}

/** Runs one model in all its precisions and crops. */
async function evaluate(server: Server, job: Job, show: () => void): Promise<{ results: Result[]; failed: Answer[] }> {
  const results: Result[] = [];
  const failed = new Map<string, Answer>();
  for (const crop of job.crops) {
    const runs = new Map<string, Run>();
    // All of one precision before the next: two precisions of a large model might not fit into the cache together.
    for (const precision of job.precisions) {
      const query = new URLSearchParams({ model: job.model, precision, crop, top: "5" });
      const done = await run(server, query, job, show);
      runs.set(precision, done);
      for (const answer of done.answers) if (answer.error !== undefined) failed.set(answer.file, answer);
    }
    const exact = runs.get("exact");
    for (const [precision, done] of runs) {
      const result = { model: job.model, precision, crop, ...figuresOf(done) };
      if (exact === undefined || precision === "exact") {
        results.push(result);
        continue;
      }
      const agreement = agreementOf(done, exact);
      results.push({ ...result, agreement, passes: passes(result, figuresOf(exact), agreement) });
    }
  }
  return { results, failed: [...failed.values()] };
}

const roundsOf = ({ precisions, crops, images }: Job) => precisions.length * crops.length * images.length;

async function main(values: Values<typeof options>, [folder]: readonly string[]): Promise<number> {
  if (folder === undefined) throw new UsageError("Name a folder of images.");
  const strange = values.crop?.find((crop) => parseCrop(crop) === undefined);
  if (strange !== undefined) {
    throw new UsageError(`--crop ${strange}: there is squash, center, and a rectangle ${FRACTIONS_FORM}.`);
  }
  const models = values.models === undefined ? MODELS : fromUser(values.models);
  const images = await imagesOfAll([folder]);
  const [entries, synsets] = [choose(await indexModels(models), values.model), await readSynsets()];
  const jobs: Job[] = [];
  for (const entry of entries) {
    const { classes, labels } = await wordsOfModel(models, entry.name);
    jobs.push(jobOf(entry, folder, images, { classes: new Classes(classes, synsets), labels }, values));
  }
  if (jobs.every((job) => roundsOf(job) === 0)) {
    const reason = jobs.flatMap(({ unknown }) => unknown)[0]?.error ?? "no model can have that precision.";
    throw new CommandError(`There is nothing to evaluate: ${reason}`);
  }
  const progress = new Progress(jobs.reduce((sum, job) => sum + roundsOf(job), 0));
  const results: Result[] = [];
  const failed: Answer[] = [];
  let done = 0;
  const server = await startWorkerd({ models, settings: { DEFAULT_MODEL: jobs[0]?.model ?? "" } });
  try {
    for (const job of jobs) {
      const one = await evaluate({ url: server.url, token: undefined }, job, () => progress.show(++done));
      results.push(...one.results);
      failed.push(...job.unknown, ...one.failed);
    }
  } finally {
    progress.clear();
    await server.stop();
  }
  const once = [...new Map(failed.map((answer) => [`${answer.file} ${answer.error}`, answer])).values()];
  console.log(values.json ? JSON.stringify({ results, failed: once }, undefined, 2) : table(results));
  if (!values.json) for (const { file, error } of once) console.error(`${file}: ${error}`);
  return once.length === 0 ? 0 : 1;
}

await runCommand({ usage, options, operands: 1 }, main);
