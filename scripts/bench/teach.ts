/**
 * npm run bench:teach: how well taught heads recognise photos that they were not taught, beside a plain probe on the same
 * draws of photos. All figures are of features that the product computes, and of the code that it runs.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { keepExamples } from "../../worker/teaching/examples.ts";
import type { Features } from "../../worker/teaching/features.ts";
import { layoutOf, sampleOf } from "../../worker/teaching/sample.ts";
import { type BaseStatistics, directionOf } from "../../worker/teaching/statistics.ts";
import { readStatistics, STATISTICS_FILE } from "../../worker/teaching/statistics-file.ts";
import { indexModels, MODELS } from "../build/model-index.ts";
import { CommandError, fromUser, runCommand, UsageError } from "../command-line/command.ts";
import { Progress } from "../command-line/progress.ts";
import { drawsOf, SIZES } from "./teach/draws.ts";
import { NumpyRandom } from "./teach/numpy-random.ts";
import { rowsOf, table } from "./teach/report.ts";
import { featuresOfFiles, type ListedSet, listSet, photosIn, setsIn } from "./teach/sets.ts";
import { type Prepared, runTrial } from "./teach/trial.ts";

/** They were measured with the plain probe by one generator, in this order. */
const FIRST_SETS: readonly string[] = ["ants-bees", "waste"];

const usage = `npm run bench:teach -- SETS/ [options]: taught heads beside a plain probe, on the same 20 draws of each set

  SETS/                a folder of sets; a set has a folder for each class, perhaps below train/ and val/

  --others FOLDER      photos of no class of the sets, which should be called unknown
  --base NAME          the model whose features are taught (efficientnet_lite0)
  --precision P        in which arithmetic it is computed (the model's own)
  --crop C             how photos are fitted to its input (squash)
  --only NAME          one of the sets; several
  --size N             so many photos a class; several (1, 5, 10, 20, 50 and 100)
  --cache FOLDER       keeps features there for the next time`;

const options = {
  others: { type: "string" },
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

await runCommand({ usage, options, operands: 1 }, async (values, [folder]) => {
  if (folder === undefined) throw new UsageError("Name a folder of sets.");
  const entry = (await indexModels(MODELS)).find(({ name }) => name === values.base);
  if (entry === undefined) throw new CommandError(`There is no model "${values.base}".`);
  const query = { model: entry.name, precision: values.precision ?? entry.precision ?? "exact", crop: values.crop };
  const { statistics } = readStatistics(await readFile(join(MODELS, entry.name, STATISTICS_FILE), "utf8"));
  const cache = values.cache === undefined ? undefined : fromUser(values.cache);
  const others =
    values.others === undefined
      ? []
      : (await featuresOfFiles(MODELS, query, await photosIn(fromUser(values.others)), cache)).map((photo) =>
          sampleOf(photo, statistics),
        );
  console.log(`${query.model}, ${query.precision}, ${query.crop}; the means of 20 draws ± 1.96 standard errors\n`);
  let failed = 0;
  const shared = new NumpyRandom(1);
  for (const path of await setsIn(fromUser(folder))) {
    const set = await listSet(path);
    const random = FIRST_SETS.includes(set.name) ? shared : new NumpyRandom(1);
    // All draws are made, so that those of one size are the same whichever others are left out.
    const draws = SIZES.map((size) => ({ size, draws: drawsOf(set.photos, set.labels.length, size, random) })).filter(
      ({ size, draws }) => draws.length > 0 && (values.size?.includes(`${size}`) ?? true),
    );
    if (draws.length === 0 || values.only?.includes(set.name) === false) continue;
    const files = set.photos.map(({ file }) => file);
    const prepared = prepare(set, await featuresOfFiles(MODELS, query, files, cache), statistics);
    const trials = draws.map(({ size, draws }) => {
      const progress = new Progress(draws.length);
      const done = draws.map(({ taught, asked }, i) => {
        progress.show(i);
        return runTrial(prepared, taught, asked, others);
      });
      progress.clear();
      return { size, trials: done };
    });
    const rows = trials.map(({ size, trials }) => rowsOf(set.name, size, trials));
    failed += rows.filter((row) => row.failed).length;
    console.log(table(rows));
  }
  console.log(failed === 0 ? "All goals are met." : `Goals are missed in ${failed} rows.`);
  return failed === 0 ? 0 : 1;
});
