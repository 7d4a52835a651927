/**
 * `npm run model -- check NAME --samples PHOTOS/`: which input range, order of colours and crop a model was trained with, by
 * trying them on photos whose class is known. Each way is a model of its own in a folder for the time being, so that it is
 * the labeler itself that is measured.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { rangeOf } from "../../../worker/model/notes.ts";
import { indexModels, labelsOfModel } from "../../build/model-index.ts";
import { CommandError } from "../../command-line/command.ts";
import { Progress } from "../../command-line/progress.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { Classes, classNamesOf, readSynsets, UnknownClass } from "../evaluate/classes.ts";
import { ask } from "../label/ask.ts";
import { type Image, imagesOfAll } from "../label/images.ts";
import { findModel } from "./installed.ts";
import { copyModel } from "./raw-pixels.ts";

interface Normalization {
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/** The input ranges with which networks are trained; the last one is for grey digits, which are white on black. */
const RANGES: readonly Normalization[] = [
  { mean: 127.5, std: 127.5 },
  { mean: 0, std: 255 },
  { mean: 0, std: 1 },
  { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  { mean: [123.68, 116.779, 103.939], std: 1 },
];
const INVERTED: Normalization = { mean: 255, std: -255 };

interface Way {
  /** Undefined if the network's type leaves no choice. */
  readonly input?: Normalization;
  readonly order?: "rgb" | "bgr";
  readonly crop: "squash" | "center";
}

interface Tried extends Way {
  /** The share of photos whose class is the top-1 label. */
  readonly accuracy: number;
  /** The mean confidence of the correct class. */
  readonly confidence: number;
}

interface Sample {
  readonly image: Image;
  readonly label: string;
}

/** More photos would hardly separate ways that these do not. */
const MOST_SAMPLES = 60;

function waysOf({ input }: IndexEntry): Way[] {
  const ranges =
    input?.type !== "float32" ? [undefined] : input.layout === "grey" ? [...RANGES.slice(0, 3), INVERTED] : RANGES;
  const orders = input?.layout === "grey" ? [undefined] : (["rgb", "bgr"] as const);
  return ranges.flatMap((range) =>
    orders.flatMap((order) =>
      (["squash", "center"] as const).map((crop) => ({
        ...(range && { input: range }),
        ...(order && { order }),
        crop,
      })),
    ),
  );
}

/** Photos of known class, some of each class. @throws CommandError if there are none. */
async function samplesIn(folder: string, labels: readonly string[]): Promise<Sample[]> {
  const classes = new Classes(labels, await readSynsets());
  const byLabel = new Map<string, Sample[]>();
  let reason = "";
  for (const image of await imagesOfAll([folder])) {
    try {
      const label = classes.labelOf(classNamesOf(folder, image.name));
      byLabel.set(label, [...(byLabel.get(label) ?? []), { image, label }]);
    } catch (error) {
      if (!(error instanceof UnknownClass)) throw error;
      reason = ` ${error.message}`;
    }
  }
  const rounds = Math.max(0, ...[...byLabel.values()].map(({ length }) => length));
  const samples = Array.from({ length: rounds }, (_, i) =>
    [...byLabel.values()].flatMap((some) => some.slice(i, i + 1)),
  );
  const chosen = samples.flat().slice(0, MOST_SAMPLES);
  if (chosen.length > 0) return chosen;
  throw new CommandError(`No photo in ${folder} is of a class of the model.${reason}`, 1);
}

async function measure(url: string, model: string, samples: readonly Sample[], done: () => void) {
  const query = new URLSearchParams({ model, top: "100000" });
  let [right, confidence] = [0, 0];
  for (const { image, label } of samples) {
    const { labels, error } = await ask({ url, token: undefined }, query, image);
    if (labels === undefined) throw new CommandError(`${image.name}: ${error}`, 1);
    if (labels[0]?.label === label) right++;
    confidence += labels.find((one) => one.label === label)?.confidence ?? 0;
    done();
  }
  return { accuracy: right / samples.length, confidence: confidence / samples.length };
}

const describe = ({ input, order, crop }: Way, type: string): string => {
  const all = (value: number | readonly number[]) => [value].flat() as number[];
  const range =
    input === undefined ? "as it is" : rangeOf({ type, normalization: perChannel(all(input.mean), all(input.std)) });
  return [range, order ?? "grey", crop].join("  ");
};

const perChannel = ([red = 0, green = red, blue = red]: number[], [r = 1, g = r, b = r]: number[]) => ({
  mean: [red, green, blue] as const,
  std: [r, g, b] as const,
});

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Compares two ways, to sort the best one first. */
const better = (a: Tried, b: Tried): number => b.accuracy - a.accuracy || b.confidence - a.confidence;

/**
 * Prints the result of each way, and writes the best one into the model's model.json.
 *
 * @param name The name of a model with a network of its own.
 * @throws CommandError if the model cannot be used, or no photo belongs to a class of it.
 */
export async function trySamples(models: string, name: string, folder: string): Promise<void> {
  const entry = findModel(await indexModels(models), name);
  if (entry.error !== undefined) throw new CommandError(entry.error, 1);
  if (entry.base !== undefined) throw new CommandError(`${name} derives from ${entry.base}: check that one.`, 1);
  const samples = await samplesIn(folder, await labelsOfModel(models, name));
  const spec = JSON.parse(await readFile(join(models, name, "model.json"), "utf8").catch(() => "{}")) as Record<
    string,
    unknown
  >;
  const ways = waysOf(entry);
  const trial = await mkdtemp(join(models, ".samples-"));
  const progress = new Progress(ways.length * samples.length);
  const tried: Tried[] = [];
  try {
    for (const [i, way] of ways.entries())
      await copyModel(join(models, name), join(trial, `way-${i}`), { ...spec, ...way });
    const server = await startWorkerd({ models: trial, settings: { DEFAULT_MODEL: "way-0", CACHE_ANSWERS: "false" } });
    try {
      let done = 0;
      for (const [i, way] of ways.entries()) {
        const figures = await measure(server.url, `way-${i}`, samples, () => progress.show(++done));
        tried.push({ ...way, ...figures });
      }
    } finally {
      await server.stop();
    }
  } finally {
    progress.clear();
    await rm(trial, { recursive: true, force: true });
  }
  const [best, second] = tried.toSorted(better);
  if (best === undefined) return;
  console.log(`${samples.length} photos; right, mean confidence of the right class, range, colours, crop:`);
  for (const way of tried.toSorted(better)) {
    console.log(
      `${percent(way.accuracy).padStart(8)}  ${percent(way.confidence).padStart(8)}  ${describe(way, entry.input?.type ?? "")}`,
    );
  }
  const { accuracy, confidence, ...chosen } = best;
  if (second !== undefined && second.accuracy === accuracy && Math.abs(second.confidence - confidence) < 0.01) {
    console.log("The first ways hardly differ: more photos would tell them apart.");
  }
  await writeFile(join(models, name, "model.json"), `${JSON.stringify({ ...spec, ...chosen }, undefined, 2)}\n`);
  await indexModels(models);
  console.log(`Written to ${join(models, name, "model.json")}: ${JSON.stringify(chosen)}`);
}
