/**
 * The file of a head. docs/reference/head-files.md describes it; in short: eight bytes that say what it is, the length of
 * its JSON, the JSON, sections of numbers whose sizes follow from the JSON, and a CRC-32. All numbers are little endian.
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { whyNotClassName } from "../validation/class-name.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { crc32 } from "./crc32.ts";
import { keptClasses } from "./examples.ts";
import type { HeadData } from "./head.ts";
import { MOST_CLASSES, MOST_EXAMPLES } from "./limits.ts";
import { denseSize } from "./sample.ts";
import type { BaseStatistics } from "./statistics.ts";

/** "EDGEHEAD". */
const MAGIC = Uint8Array.from("EDGEHEAD", (letter) => letter.charCodeAt(0));
/** The version of the format and of how samples are made and compared: a head of another version does not fit. */
export const HEAD_VERSION = 3;
/** Magic, version, length of the JSON. */
const FRONT = 16;
const CHECKSUM = 4;
/** The JSON has names of classes and no lists of photos. */
const MOST_JSON = 256 << 10;
/** The largest number of channels, and of a base's classes. */
const WIDEST = 65_535;
const ALIGNMENT = 8;
const DIGEST = 32;

const width = z.int().check(z.gte(0), z.lte(WIDEST));
const short = z.string().check(z.maxLength(128));

const schema = z.strictObject({
  base: z.strictObject({
    name: short,
    sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits")),
    precision: short,
    crop: short,
  }),
  labels: z.array(z.string()).check(z.minLength(2), z.maxLength(MOST_CLASSES)),
  layout: z.strictObject({ pooled: width, maxima: width, late: width, early: width, classes: width }),
  examples: z.int().check(z.gte(2), z.lte(MOST_EXAMPLES)),
  strength: z.number().check(z.gt(0)),
  temperature: z.number().check(z.gt(0), z.lte(1000)),
  /** Absent where it is not known what is unlike the classes. */
  threshold: z.optional(z.number()),
});

type Front = z.infer<typeof schema>;

const refuse = (reason: string, cause?: unknown) =>
  new LabelerError("model-unusable", `The head ${reason}. Teach it again: npm run model -- teach.`, { cause });

/** The bytes of the numbers, before there is room for them. */
function bytesOfNumbers({ layout, examples, labels, threshold }: Front): number {
  const kept = keptClasses(layout);
  const channels = [layout.pooled, layout.maxima, layout.maxima, layout.late, layout.late, layout.early, layout.early];
  const triangle = threshold === undefined ? 0 : (examples * (examples + 1)) / 2;
  const floats = [...channels, examples * labels.length, labels.length, triangle].map((count) => 4 * count);
  const shorts = [examples, examples * kept].map((count) => 2 * count);
  const bytes = [examples * kept, examples * denseSize(layout), examples * DIGEST];
  return [...floats, ...shorts, ...bytes].reduce((sum, count) => sum + align(count), 0);
}

/** The sections as empty arrays of their sizes. */
function emptySections({ layout, examples, labels, threshold }: Front) {
  const kept = keptClasses(layout);
  const spread = (channels: number) => ({ mean: new Float32Array(channels), deviation: new Float32Array(channels) });
  return {
    statistics: {
      pooled: new Float32Array(layout.pooled),
      maxima: spread(layout.maxima),
      late: spread(layout.late),
      early: spread(layout.early),
    },
    weights: new Float32Array(examples * labels.length),
    bias: new Float32Array(labels.length),
    triangle: new Float32Array(threshold === undefined ? 0 : (examples * (examples + 1)) / 2),
    classes: new Uint16Array(examples),
    kept: new Uint16Array(examples * kept),
    scores: new Int8Array(examples * kept),
    dense: new Int8Array(examples * denseSize(layout)),
    digests: new Uint8Array(examples * DIGEST),
  };
}

type Sections = ReturnType<typeof emptySections>;

/** The sections of a taught head, whose arrays may be parts of larger ones. */
type Written = {
  readonly [name in keyof Sections]: Sections[name] extends ArrayBufferView ? ArrayBufferView : unknown;
} & {
  readonly statistics: BaseStatistics;
};

/** The sections in the order in which they lie in the file. */
function sectionsOf<S extends Written>({ statistics: { pooled, maxima, late, early }, ...rest }: S) {
  const spreads = [maxima, late, early].flatMap(({ mean, deviation }) => [mean, deviation]);
  const { weights, bias, triangle, classes, kept, scores, dense, digests } = rest;
  return [pooled, ...spreads, weights, bias, triangle, classes, kept, scores, dense, digests];
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const sizeOf = (sections: readonly { byteLength: number }[]): number =>
  sections.reduce((sum, { byteLength }) => sum + align(byteLength), 0);

/** Writes a head as a file. The same head gives the same bytes. */
export function writeHead(head: HeadData): Uint8Array<ArrayBuffer> {
  const { base, labels, examples, strength, temperature, novelty } = head;
  const front: Front = {
    base: { name: base.name, sha256: base.sha256, precision: base.precision, crop: base.crop },
    labels: [...labels],
    layout: examples.layout,
    examples: examples.count,
    strength,
    temperature,
    ...(novelty && { threshold: novelty.threshold }),
  };
  const json = new TextEncoder().encode(JSON.stringify(front));
  const sections = sectionsOf({
    ...head,
    triangle: novelty?.triangle ?? new Float32Array(),
    kept: examples.classes,
    scores: examples.scores,
    dense: examples.dense,
  });
  const file = new Uint8Array(align(FRONT + json.length) + sizeOf(sections) + CHECKSUM);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(8, HEAD_VERSION, true);
  view.setUint32(12, json.length, true);
  file.set(json, FRONT);
  let at = align(FRONT + json.length);
  for (const section of sections) {
    file.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), at);
    at += align(section.byteLength);
  }
  view.setUint32(at, crc32(file.subarray(0, at)), true);
  return file;
}

function frontOf(file: Uint8Array, view: DataView): { front: Front; end: number } {
  if (file.length < FRONT + CHECKSUM || MAGIC.some((byte, i) => file[i] !== byte)) throw refuse("is no file of a head");
  const version = view.getUint32(8, true);
  if (version !== HEAD_VERSION) throw refuse(`has the version ${version}; this release reads ${HEAD_VERSION}`);
  const length = view.getUint32(12, true);
  if (length > MOST_JSON || FRONT + length > file.length) throw refuse("ends within its description");
  let json: unknown;
  try {
    json = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.subarray(FRONT, FRONT + length)),
    );
  } catch (error) {
    throw refuse("has a description that is not JSON", error);
  }
  const front = checkSchema(schema, json, (faults) => refuse(`has a description that does not hold: ${faults}`));
  return { front, end: align(FRONT + length) };
}

/** @throws LabelerError for names that classes cannot have. */
function checkLabels(labels: readonly string[]): void {
  for (const label of labels) {
    const reason = whyNotClassName(label);
    if (reason !== undefined) throw refuse(`has labels of which ${reason}`);
  }
  if (new Set(labels).size !== labels.length) throw refuse("has two classes of one name");
}

const areFinite = (values: Float32Array): boolean => values.every(Number.isFinite);

/** Numbers that a head could not compute with, whoever wrote them. */
function checkSections(sections: Sections, { layout, labels }: Front): void {
  const { statistics, classes, kept } = sections;
  const floats = sectionsOf(sections).filter((section) => section instanceof Float32Array);
  if (!floats.every(areFinite)) throw refuse("contains NaN or infinite numbers");
  const spreads = [statistics.maxima, statistics.late, statistics.early];
  if (spreads.some(({ deviation }) => deviation.some((value) => value <= 0)))
    throw refuse("has deviations in it that are not above 0");
  if (classes.some((index) => index >= labels.length)) throw refuse("has examples of classes that it does not have");
  if (new Set(classes).size < labels.length) throw refuse("has classes without examples");
  if (kept.some((index) => index >= layout.classes))
    throw refuse("has examples with classes that its base does not have");
}

/**
 * Reads a head, which may come from anyone.
 *
 * @throws LabelerError of kind model-unusable that says what is wrong with it.
 */
export function readHead(file: Uint8Array): HeadData {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const { front, end } = frontOf(file, view);
  const { base, labels, layout, examples: count, strength, temperature, threshold } = front;
  checkLabels(labels);
  if (layout.pooled === 0 || layout.classes === 0 || layout.maxima !== layout.pooled) throw refuse("has no features");
  // Before anything is allocated: what the description promises is there.
  const wanted = end + bytesOfNumbers(front) + CHECKSUM;
  if (file.length !== wanted) throw refuse(`has ${file.length} bytes, but its description makes ${wanted}`);
  const at = file.length - CHECKSUM;
  if (crc32(file.subarray(0, at)) !== view.getUint32(at, true)) throw refuse("is damaged: its checksum does not hold");
  const sections = emptySections(front);
  let start = end;
  for (const section of sectionsOf(sections)) {
    new Uint8Array(section.buffer).set(file.subarray(start, start + section.byteLength));
    start += align(section.byteLength);
  }
  checkSections(sections, front);
  const { statistics, weights, bias, triangle, classes, kept, scores, dense, digests } = sections;
  return {
    base,
    labels,
    statistics,
    examples: { layout, count, dense, classes: kept, scores },
    classes,
    digests,
    weights,
    bias,
    strength,
    temperature,
    novelty: threshold === undefined ? undefined : { threshold, triangle },
  };
}
