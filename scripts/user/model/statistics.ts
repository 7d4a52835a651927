/**
 * `npm run model -- statistics NAME PHOTOS/`: computes the usual values of a model's features, and writes them into its
 * folder.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Features } from "../../../worker/teaching/features.ts";
import { computeStatistics, ENOUGH_PHOTOS } from "../../../worker/teaching/statistics.ts";
import { STATISTICS_FILE, writeStatistics } from "../../../worker/teaching/statistics-file.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError } from "../../command-line/command.ts";
import { inOrder } from "../../command-line/in-order.ts";
import { Progress } from "../../command-line/progress.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { imagesOfAll } from "../label/images.ts";
import { readImage } from "../label/post-image.ts";
import { featuresOf } from "./features.ts";
import { findModel } from "./installed.ts";

export interface StatisticsOptions {
  /** The origin of the photos, in one line. */
  readonly source: string;
  readonly crop: string;
}

/**
 * Computes the statistics of a model and writes them into its folder.
 *
 * @returns The path of the file, and the number of photos.
 * @throws CommandError if there are too few photos.
 */
export async function makeStatistics(
  models: string,
  name: string,
  folder: string,
  { source, crop }: StatisticsOptions,
): Promise<{ path: string; photos: number }> {
  const entry = findModel(await indexModels(models), name);
  if (entry.error !== undefined) throw new CommandError(entry.error, 1);
  const { sha256, precision = "exact" } = entry;
  const images = await imagesOfAll([folder]);
  if (images.length < ENOUGH_PHOTOS) {
    throw new CommandError(
      `${folder} has ${images.length} photos; at least ${ENOUGH_PHOTOS} of many kinds are needed, or else the statistics would ` +
        "be of what is in them. They need no labels.",
    );
  }
  const progress = new Progress(images.length);
  const found: Features[] = [];
  const server = await startWorkerd({ models, settings: { DEFAULT_MODEL: name } });
  try {
    await inOrder(
      images,
      async (image) => {
        const read = await readImage(image);
        if ("error" in read) return read;
        return featuresOf({ url: server.url, token: undefined }, { model: name, precision, crop }, read.body);
      },
      (answer, index) => {
        if ("features" in answer) found.push(answer.features);
        else console.error(`${images[index]?.name}: ${answer.error}`);
        progress.show(index + 1);
      },
    );
  } finally {
    progress.clear();
    await server.stop();
  }
  const notes = { sha256, precision, crop, photos: found.length, source };
  const path = join(models, name, STATISTICS_FILE);
  await writeFile(path, writeStatistics(computeStatistics(found), notes));
  return { path, photos: found.length };
}
