/** From photos to what a head is taught: features of those that are new, examples of those that were taught before. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IndexEntry } from "../../../../worker/model/index-entry.ts";
import { chooseExamples, type Examples, joinExamples, keepExamples } from "../../../../worker/teaching/examples.ts";
import type { Features } from "../../../../worker/teaching/features.ts";
import type { HeadData } from "../../../../worker/teaching/head.ts";
import { MOST_CLASSES, MOST_EXAMPLES } from "../../../../worker/teaching/limits.ts";
import { layoutOf, sampleOf } from "../../../../worker/teaching/sample.ts";
import { type BaseStatistics, computeStatistics } from "../../../../worker/teaching/statistics.ts";
import { readStatistics, STATISTICS_FILE } from "../../../../worker/teaching/statistics-file.ts";
import type { Lesson } from "../../../../worker/teaching/teach.ts";
import { CommandError } from "../../../command-line/command.ts";
import { inOrder } from "../../../command-line/in-order.ts";
import { Progress } from "../../../command-line/progress.ts";
import type { FeatureServer } from "./feature-server.ts";
import { type NamedPhoto, type Photo, readPhoto, SeenPhotos } from "./photos.ts";

/** The base of a lesson, and how photos are fitted to it. */
export interface Base {
  readonly entry: IndexEntry;
  readonly precision: string;
  readonly crop: string;
  /** How the head records the crop, where that is not the text of the crop itself. */
  readonly recorded?: string;
}

/** A lesson, with the photos in the order of its examples. */
export interface PreparedLesson {
  readonly lesson: Lesson;
  readonly photos: readonly Photo[];
  readonly duplicates: SeenPhotos["duplicates"];
  /** Files that could not be used. */
  readonly failed: readonly { readonly name: string; readonly error: string }[];
  /** How many examples were there already. */
  readonly reused: number;
  /** Whether the statistics are those of the taught photos, for want of better ones. */
  readonly poor: boolean;
}

const hexadecimal = (digests: Uint8Array, i: number) =>
  Buffer.from(digests.subarray(32 * i, 32 * (i + 1))).toString("hex");

/** The photos of a head, of which only examples are left. */
export const photosOfHead = ({ classes, labels, digests }: HeadData): Photo[] =>
  Array.from(classes, (index, i) => ({ name: undefined, label: labels[index] ?? "", digest: hexadecimal(digests, i) }));

/** @throws LabelerError if the base's features.json is damaged; CommandError if it is of another network. */
export async function statisticsOf(models: string, { name, sha256 }: IndexEntry): Promise<BaseStatistics | undefined> {
  const text = await readFile(join(models, name, STATISTICS_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { statistics, notes } = readStatistics(text);
  if (notes.sha256 === sha256) return statistics;
  throw new CommandError(
    `${join(models, name, STATISTICS_FILE)} is of another model.tflite. Make it anew: npm run model -- statistics ${name} PHOTOS/`,
    1,
  );
}

const sameNumbers = (a: BaseStatistics, b: BaseStatistics): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether a head's examples can be used again: they are of the same network, place and statistics. */
function fits(
  head: HeadData,
  { entry, precision, crop, recorded = crop }: Base,
  statistics: BaseStatistics | undefined,
): boolean {
  const { base } = head;
  if (base.sha256 !== entry.sha256 || base.precision !== precision || base.crop !== recorded) return false;
  return statistics === undefined || sameNumbers(statistics, head.statistics);
}

interface Found {
  readonly photo: Photo;
  /** Undefined where there is an example already. */
  readonly features: Features | undefined;
}

/** Reads photos, and computes the features of those that are not known. */
async function study(
  server: FeatureServer,
  { entry, precision, crop }: Base,
  named: readonly NamedPhoto[],
  known: ReadonlyMap<string, number>,
): Promise<Pick<PreparedLesson, "failed" | "duplicates"> & { found: Found[] }> {
  const [seen, found, failed] = [new SeenPhotos(), [] as Found[], [] as { name: string; error: string }[]];
  const progress = new Progress(named.length);
  // Then some are certainly new: the labeler starts while photos are read.
  if (named.length > known.size) void server.start(entry.name);
  try {
    await inOrder(
      named,
      async (one) => {
        const photo = await readPhoto(one);
        if ("error" in photo) return photo;
        const { body, ...rest } = photo;
        if (known.has(photo.digest)) return { photo: rest, features: undefined };
        const query = { model: entry.name, precision, crop: one.place?.crop ?? crop };
        const answer = await server.features(query, body);
        return "error" in answer ? answer : { photo: rest, features: answer.features };
      },
      (result, index) => {
        if ("error" in result) failed.push({ name: named[index]?.image.name ?? "", error: result.error });
        else if (seen.add(result.photo)) found.push(result);
        progress.show(index + 1);
      },
    );
  } finally {
    progress.clear();
  }
  return { found, failed, duplicates: seen.duplicates };
}

/** @throws CommandError for lessons that cannot be taught, with what to change. */
function checkLesson(labels: readonly string[], photos: readonly Photo[], failed: PreparedLesson["failed"]): void {
  const hint = failed.length === 0 ? "" : ` ${failed.length} photos could not be used: ${failed[0]?.error}`;
  if (labels.length < 2) {
    throw new CommandError(
      `There are photos of ${labels.length === 1 ? `one class, "${labels[0]}"` : "no class"}; a head tells two or more ` +
        `apart. Add a class, such as "none" with what else there is to see.${hint}`,
      1,
    );
  }
  if (labels.length > MOST_CLASSES)
    throw new CommandError(`There are ${labels.length} classes; a head has ${MOST_CLASSES} at most.`, 1);
  if (photos.length > MOST_EXAMPLES) {
    throw new CommandError(
      `There are ${photos.length} photos; a head is taught ${MOST_EXAMPLES} at most. Leave some out, first of the classes ` +
        "that have most.",
      1,
    );
  }
}

/**
 * Prepares a lesson of photos with their classes.
 *
 * @param server Computes the features of new photos.
 * @param kept Photos of the head that are taught again without their files.
 */
export async function prepareLesson(
  models: string,
  server: FeatureServer,
  base: Base,
  named: readonly NamedPhoto[],
  { head, kept = [] }: { readonly head: HeadData | undefined; readonly kept?: readonly Photo[] },
): Promise<PreparedLesson> {
  const fromBase = await statisticsOf(models, base.entry);
  const usable = head !== undefined && fits(head, base, fromBase) ? head : undefined;
  if (usable === undefined && kept.length > 0) {
    throw new CommandError(
      "The photos that were taught before are of another base, or of another part of the picture. Teach them again from " +
        "their files.",
      1,
    );
  }
  const known = new Map(usable === undefined ? [] : photosOfHead(usable).map(({ digest }, i) => [digest, i] as const));
  const { found, failed, duplicates } = await study(server, base, named, known);
  const fresh = new Set(found.map(({ photo }) => photo.digest));
  const all: Found[] = [
    ...kept.filter(({ digest }) => !fresh.has(digest)).map((photo) => ({ photo, features: undefined })),
    ...found,
  ];
  const labels = [...new Set(all.map(({ photo }) => photo.label))].sort();
  // In one order, whatever the files are called and in which order they were named.
  all.sort((a, b) => order(a.photo, b.photo));
  const photos = all.map(({ photo }) => photo);
  checkLesson(labels, photos, failed);
  const newOnes = all.flatMap(({ features }) => (features === undefined ? [] : [features]));
  const statistics = usable?.statistics ?? fromBase ?? computeStatistics(newOnes);
  const lesson = {
    base: {
      name: base.entry.name,
      sha256: base.entry.sha256,
      precision: base.precision,
      crop: base.recorded ?? base.crop,
    },
    labels,
    statistics,
    examples: examplesOf(all, newOnes, statistics, usable, known),
    classes: Uint16Array.from(photos, ({ label }) => labels.indexOf(label)),
    digests: new Uint8Array(Buffer.from(photos.map(({ digest }) => digest).join(""), "hex")),
  };
  const poor = fromBase === undefined;
  return { lesson, photos, duplicates, failed, reused: all.length - newOnes.length, poor };
}

function order(a: Photo, b: Photo): number {
  if (a.label !== b.label) return a.label < b.label ? -1 : 1;
  return a.digest < b.digest ? -1 : Number(a.digest > b.digest);
}

/** The examples of all photos in their order: new ones of their features, others as the head has them. */
function examplesOf(
  all: readonly Found[],
  newOnes: readonly Features[],
  statistics: BaseStatistics,
  head: HeadData | undefined,
  known: ReadonlyMap<string, number>,
): Examples {
  const [first] = newOnes;
  const fresh =
    first &&
    keepExamples(
      newOnes.map((features) => sampleOf(features, statistics)),
      layoutOf(first),
    );
  const before = head?.examples;
  const examples = before && fresh ? joinExamples(before, fresh) : (before ?? fresh);
  if (examples === undefined) throw new CommandError("There is no photo to teach.", 1);
  let next = before?.count ?? 0;
  return chooseExamples(
    examples,
    all.map(({ photo, features }) => (features === undefined ? (known.get(photo.digest) ?? 0) : next++)),
  );
}
