/**
 * The file of a base's statistics, features.json in its folder: JSON for what a person wants to know of it, and the numbers
 * as 32-bit floats in base64, so that they are the same for everyone.
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import type { BaseStatistics } from "./statistics.ts";

export const STATISTICS_FILE = "features.json";

const width = z.int().check(z.gte(0), z.lte(65_535));

const schema = z.strictObject({
  format: z.literal(1),
  /** What the numbers are, in a line for people. */
  description: z.optional(z.string()),
  /** The SHA-256 of the model.tflite that computed the features. */
  sha256: z.string(),
  precision: z.string(),
  crop: z.string(),
  /** How many there were, and where they are from. */
  photos: z.int().check(z.gte(1)),
  source: z.string(),
  layout: z.strictObject({ pooled: width, maxima: width, late: width, early: width }),
  /** Mean of the pooled directions, then mean and deviation of each other part, in base64. */
  values: z.string(),
});

type StatisticsJson = z.infer<typeof schema>;
export type StatisticsNotes = Omit<StatisticsJson, "format" | "layout" | "values" | "description">;

const DESCRIPTION =
  "Means and spreads of this model's features over photos without labels, by which npm run model -- teach compares photos.";

const arraysOf = ({ pooled, maxima, late, early }: BaseStatistics): Float32Array[] => [
  pooled,
  ...[maxima, late, early].flatMap(({ mean, deviation }) => [mean, deviation]),
];

/** The text of a features.json. */
export function writeStatistics(statistics: BaseStatistics, notes: StatisticsNotes): string {
  const { pooled, maxima, late, early } = statistics;
  const arrays = arraysOf(statistics);
  const values = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    values.set(array, at);
    at += array.length;
  }
  let binary = "";
  for (const byte of new Uint8Array(values.buffer)) binary += String.fromCharCode(byte);
  const layout = {
    pooled: pooled.length,
    maxima: maxima.mean.length,
    late: late.mean.length,
    early: early.mean.length,
  };
  const json: StatisticsJson = { format: 1, description: DESCRIPTION, ...notes, layout, values: btoa(binary) };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

const refuse = (reason: string, cause?: unknown) =>
  new LabelerError("model-unusable", `${STATISTICS_FILE}: ${reason}. Make it anew: npm run model -- statistics.`, {
    cause,
  });

function floatsOf(text: string): Float32Array {
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  } catch (error) {
    throw refuse("its values are not 32-bit floats in base64", error);
  }
}

/** @throws LabelerError of kind model-unusable that says what is wrong with it. */
export function readStatistics(text: string): { statistics: BaseStatistics; notes: StatisticsNotes } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse("it is not JSON", error);
  }
  const data = checkSchema(schema, json, refuse);
  const { layout, values, sha256, precision, crop, photos, source } = data;
  const floats = floatsOf(values);
  const wanted = layout.pooled + 2 * (layout.maxima + layout.late + layout.early);
  if (floats.length !== wanted) throw refuse(`it has ${floats.length} values, and its layout makes ${wanted}`);
  if (!floats.every(Number.isFinite)) throw refuse("it contains NaN or infinite values");
  let at = 0;
  const take = (count: number) => {
    at += count;
    return floats.slice(at - count, at);
  };
  const spread = (count: number) => ({ mean: take(count), deviation: take(count) });
  const statistics = {
    pooled: take(layout.pooled),
    maxima: spread(layout.maxima),
    late: spread(layout.late),
    early: spread(layout.early),
  };
  const { maxima, late, early } = statistics;
  if ([maxima, late, early].some(({ deviation }) => deviation.some((value) => value <= 0)))
    throw refuse("it has deviations that are not above 0");
  return { statistics, notes: { sha256, precision, crop, photos, source } };
}
