/**
 * npm run bench:teach: how well taught heads recognise photos that they were not taught, beside a plain probe on the same
 * draws of photos. All figures are of features that the product computes, and of the code that it runs.
 */
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { keepExamples } from "../../worker/teaching/examples.ts";
import type { Features } from "../../worker/teaching/features.ts";
import { layoutOf, type Sample, sampleOf } from "../../worker/teaching/sample.ts";
import { type BaseStatistics, directionOf } from "../../worker/teaching/statistics.ts";
import { readStatistics, STATISTICS_FILE } from "../../worker/teaching/statistics-file.ts";
import { indexModels, MODELS } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand, UsageError, type Values } from "../command-line/command.ts";
import { Progress } from "../command-line/progress.ts";
import { installRivals } from "./decode/install.ts";
import { drawsOf, SIZES, tooFewPhotos } from "./teach/draws.ts";
import { NumpyRandom } from "./teach/numpy-random.ts";
import { headOf, rowsOf, SCENE_HEAD, SPEED_HEAD, sceneRows, speedRow, table } from "./teach/report.ts";
import { featuresOfFiles, type ListedSet, listSet, photosIn, setsIn } from "./teach/sets.ts";
import { type Prepared, runTrial } from "./teach/trial.ts";

/** They were measured with the plain probe by one generator, in this order. */
const FIRST_SETS: readonly string[] = ["ants-bees", "waste"];

const usage = `npm run bench:teach -- [SETS/] [options]: taught heads beside a plain probe, on the same 20 draws of each set

  SETS/                a folder of sets; a set has a folder for each class, perhaps below train/ and val/; what is in
                       val/ is never taught

  --scenes PHOTOS/     a fixed camera whose scene has two states, made of these JPEGs
  --speed              how long teaching and answers of taught models take, and the memory they need
  --others FOLDER      photos of no class of the sets, which should be called unknown; several, of which the first has
                       a goal, and of which a set is not asked for its own
  --base NAME          the model whose features are taught (efficientnet_lite0)
  --precision P        in which arithmetic it is computed (the model's own)
  --crop C             how photos are fitted to its input (squash)
  --only NAME          one of the sets; several
  --size N             so many photos a class; several (1, 5, 10, 20, 50 and 100)
  --cache FOLDER       keeps features there for the next time`;

const options = {
  scenes: { type: "string" },
  speed: { type: "boolean", default: false },
  others: { type: "string", multiple: true },
  base: { type: "string", default: "efficientnet_lite0" },
  precision: { type: "string" },
  crop: { type: "string", default: "squash" },
  only: { type: "string", multiple: true },
  size: { type: "string", multiple: true },
  cache: { type: "string" },
} as const;

function prepare({ labels, photos }: ListedSet, features: readonly Features[], statistics: BaseStatistics): Prepared {
  const samples = features.map((photo) => sampleOf(photo, statistics));
  return {
    labels,
    classes: photos.map((photo) => photo.class),
    examples: keepExamples(samples, layoutOf(features[0] as Features)),
    samples,
    pooled: features.map(({ pooled }) => directionOf(pooled)),
    statistics,
  };
}

type Options = Values<typeof options>;

/** What all parts of a run share. */
interface Run {
  readonly query: { readonly model: string; readonly precision: string; readonly crop: string };
  readonly statistics: BaseStatistics;
  readonly cache: string | undefined;
}

async function prepareRun(values: Options): Promise<Run> {
  const entry = (await indexModels(MODELS)).find(({ name }) => name === values.base);
  if (entry === undefined) throw new CommandError(`There is no model "${values.base}".`);
  if (entry.features === undefined) throw new CommandError(`"${values.base}" does not give features.`);
  const text = await readFile(join(MODELS, entry.name, STATISTICS_FILE), "utf8").catch(() => {
    throw new CommandError(`"${values.base}" has no ${STATISTICS_FILE}: npm run model -- statistics.`);
  });
  return {
    query: { model: entry.name, precision: values.precision ?? entry.precision ?? "exact", crop: values.crop },
    statistics: readStatistics(text).statistics,
    cache: values.cache === undefined ? undefined : fromUser(values.cache),
  };
}

/** The photos of a set that can be read, with their features. */
async function readable(set: ListedSet, { query, cache }: Run): Promise<{ set: ListedSet; features: Features[] }> {
  const files = set.photos.map(({ file }) => file);
  const found = await featuresOfFiles(MODELS, query, files, cache);
  const photos = set.photos.filter((_, at) => found[at] !== undefined);
  return { set: { ...set, photos }, features: found.filter((photo) => photo !== undefined) };
}

/** @returns How many rows miss a goal. */
async function benchSets(folder: string, run: Run, values: Options): Promise<number> {
  const { query, statistics, cache } = run;
  const others: { path: string; name: string; samples: Sample[] }[] = [];
  for (const path of (values.others ?? []).map(fromUser)) {
    const features = await featuresOfFiles(MODELS, query, await photosIn(path), cache);
    const samples = features.filter((photo) => photo !== undefined).map((photo) => sampleOf(photo, statistics));
    if (samples.length === 0) throw new CommandError(`--others: ${path} has no photos that can be read.`);
    others.push({ path: resolve(path), name: basename(resolve(path)), samples });
  }
  console.log(`${query.model}, ${query.precision}, ${query.crop}; the means of 20 draws ± 1.96 standard errors\n`);
  let failed = 0;
  const shared = new NumpyRandom(1);
  for (const path of await setsIn(fromUser(folder))) {
    const listed = await listSet(path);
    if (typeof listed === "string") {
      console.log(`${listed}\n`);
      continue;
    }
    const random = FIRST_SETS.includes(listed.name) ? shared : new NumpyRandom(1);
    const isChosen = values.only?.includes(listed.name) ?? true;
    const { set, features } = isChosen ? await readable(listed, run) : { set: listed, features: [] };
    // All draws are made, so that those of one size are the same whichever others are left out.
    const draws = SIZES.map((size) => ({ size, draws: drawsOf(set.photos, set.labels.length, size, random) })).filter(
      ({ size, draws }) => draws.length > 0 && (values.size?.includes(`${size}`) ?? true),
    );
    if (!isChosen) continue;
    if (draws.length === 0) {
      const reason = tooFewPhotos(set.photos, set.labels) ?? "it has too few photos for the sizes that are asked for";
      console.log(`${path} is left out: ${reason}.\n`);
      continue;
    }
    const prepared = prepare(set, features, statistics);
    const asked = others.map(({ path: folder, samples }) => (folder === resolve(path) ? undefined : samples));
    const trials = draws.map(({ size, draws }) => {
      const progress = new Progress(draws.length);
      const done = draws.map(({ taught, asked: places }, i) => {
        progress.show(i);
        return runTrial(prepared, taught, places, asked);
      });
      progress.clear();
      return { size, trials: done };
    });
    const rows = trials.map(({ size, trials }) => rowsOf(set.name, size, trials));
    failed += rows.filter((row) => row.failed).length;
    console.log(table(rows, headOf(others.map(({ name }) => name))));
  }
  return failed;
}

async function benchScenes(folder: string, { query, statistics }: Run): Promise<number> {
  const { runScenes } = await import("./teach/scene.ts");
  const photos = (await photosIn(fromUser(folder))).filter((file) => /\.jpe?g$/i.test(file));
  if (photos.length < 2) throw new CommandError(`${folder} has fewer than two JPEGs, of which scenes could be made.`);
  const rows = sceneRows(await runScenes(MODELS, { ...query, photos, statistics }));
  console.log(table(rows, SCENE_HEAD));
  return rows.filter((row) => row.failed).length;
}

async function benchSpeed({ query }: Run): Promise<number> {
  const { measureSpeed } = await import("./teach/speed.ts");
  const rows = (await measureSpeed(MODELS, query.model)).map(speedRow);
  console.log(table(rows, SPEED_HEAD));
  return rows.filter((row) => row.failed).length;
}

await runCommand({ usage, options, operands: 1 }, async (values, [folder]) => {
  if (folder === undefined && values.scenes === undefined && !values.speed)
    throw new UsageError("Name a folder of sets, or --scenes PHOTOS/, or --speed.");
  const run = await prepareRun(values);
  let failed = folder === undefined ? 0 : await benchSets(folder, run, values);
  if (values.scenes !== undefined || values.speed) installRivals();
  if (values.scenes !== undefined) failed += await benchScenes(values.scenes, run);
  if (values.speed) failed += await benchSpeed(run);
  console.log(failed === 0 ? "All goals are met." : `Goals are missed in ${failed} rows.`);
  return failed === 0 ? 0 : 1;
});
