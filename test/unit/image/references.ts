/** Sources and references for the image tests, and the difference of two images. */
import { expect } from "vitest";
import { LabelerError } from "../../../worker/errors.ts";
import type { DecodeOptions } from "../../../worker/image/decode.ts";
import { type DecodedImage, decodeToInput } from "../../../worker/image/decode.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
import { fixture, fixtureJson, reference, referenceJson } from "../files.ts";
import { referencePixels } from "../reference-pixels.ts";

/** A resize by Pillow; see scripts/fixtures/pillow_resize.py. */
export interface PillowCase {
  kind: "noise" | "extremes" | "ramp";
  source: [width: number, height: number];
  target: [width: number, height: number];
  crop?: [x: number, y: number, width: number, height: number];
  orientation: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
  /** Where its pixels begin in cases.rgb. */
  offset: number;
}

export async function pillowCases(): Promise<{ cases: PillowCase[]; pixels: Uint8Array }> {
  const { cases } = await fixtureJson<{ cases: PillowCase[] }>("resize/cases.json");
  return { cases, pixels: await fixture("resize/cases.rgb") };
}

/** [height, width, 3] the pixels that scripts/fixtures/pillow_resize.py makes by the same rule. */
export function syntheticPixels(kind: PillowCase["kind"], width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (kind === "noise") pixels[i] = state >>> 24;
    else if (kind === "extremes") pixels[i] = 255 * (state >>> 31);
    else pixels[i] = Math.floor((i * 7) / 3);
  }
  return pixels;
}

/** The largest and the mean absolute difference of two images, in levels of 255. */
export function difference(actual: Uint8Array, expected: Uint8Array): { max: number; mean: number } {
  if (actual.length !== expected.length) throw new Error(`${actual.length} bytes instead of ${expected.length}`);
  let max = 0;
  let sum = 0;
  for (let i = 0; i < actual.length; i++) {
    const d = Math.abs(actual[i] - expected[i]);
    if (d > max) max = d;
    sum += d;
  }
  return { max, mean: sum / actual.length };
}

export const EQUAL = { max: 0, mean: 0 };

/** A small file and what Pillow makes of it; see scripts/fixtures/pillow_formats.py. */
export interface FormatCase {
  name: string;
  width: number;
  height: number;
  file: Uint8Array<ArrayBuffer>;
  /** [height, width, 3] */
  rgb: Uint8Array;
}

/** A TIFF structure with an orientation in it, and how Pillow turns a picture that has it. */
export interface ExifCase {
  order: "II" | "MM";
  type: number;
  count: number;
  value: number;
  tiff: Uint8Array;
  orientation: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
}

interface StoredFormats {
  cases: (Omit<FormatCase, "file" | "rgb"> & { format: string; file: string; rgb: number })[];
  rgb: string[];
  exif: (Omit<ExifCase, "tiff"> & { tiff: string })[];
}

export async function formatCases(format: "jpeg" | "webp" | "gif" | "bmp"): Promise<FormatCase[]> {
  const { cases, rgb } = await fixtureJson<StoredFormats>("formats/cases.json");
  return cases
    .filter((stored) => stored.format === format)
    .map(({ name, width, height, file, rgb: at }) => {
      return { name, width, height, file: Uint8Array.fromBase64(file), rgb: Uint8Array.fromBase64(rgb[at]) };
    });
}

/** The one case of this name. */
export async function formatCase(format: "jpeg" | "webp" | "gif" | "bmp", name: string): Promise<FormatCase> {
  const found = (await formatCases(format)).find((stored) => stored.name === name);
  if (found === undefined) throw new Error(`there is no ${format} ${name}`);
  return found;
}

export async function exifCases(): Promise<ExifCase[]> {
  const { exif } = await fixtureJson<StoredFormats>("formats/cases.json");
  return exif.map((stored) => ({ ...stored, tiff: Uint8Array.fromBase64(stored.tiff) }));
}

/** Those cases, by name, whose pixels or size are not exactly Pillow's when decoded at their own size. */
export async function differingFrom(cases: readonly FormatCase[]): Promise<Record<string, unknown>> {
  const differing: Record<string, unknown> = {};
  for (const { name, file, width, height, rgb } of cases) {
    const { pixels, sourceWidth, sourceHeight } = await decode(file, { ...TO_224, width, height });
    const same = { ...difference(pixels, rgb), sourceWidth, sourceHeight };
    if (same.max > 0 || sourceWidth !== width || sourceHeight !== height) differing[name] = same;
  }
  return differing;
}

/** The photographs that the golden outputs of the models were made from: their paths and their references' paths. */
export async function goldenPhotos(): Promise<{ path: string; expected: string }[]> {
  const golden = await referenceJson<Record<"images" | "imagenet_sample", { file: string }[]>>(
    "golden/mobilenet_v1_1.0_224.json",
  );
  return [...golden.images, ...golden.imagenet_sample].map(({ file }) => {
    const folder = file.endsWith(".JPEG") ? "imagenet-sample" : "images";
    return { path: `${folder}/${file}`, expected: `golden/reference224/${file}.png` };
  });
}

/** Decodes a whole file; JPEGs at full size unless told otherwise, since that is what the references are of. */
export function decode(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  return decodeToInput(new ByteStream([bytes]), { scale: "full", fileSize: bytes.length, ...options });
}

/** A file in chunks of this many bytes; counts how many of its bytes were taken. */
export class Stream implements Iterable<Uint8Array> {
  readonly #bytes: Uint8Array;
  readonly #size: number;
  taken = 0;

  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.#size = size;
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let at = 0; at < this.#bytes.length; at += this.#size) {
      const chunk = this.#bytes.subarray(at, at + this.#size);
      this.taken += chunk.length;
      yield chunk;
    }
  }
}

/** The pipeline of the references: all of the picture, as stored, to 224 × 224. */
export const TO_224: DecodeOptions = {
  width: 224,
  height: 224,
  crop: "squash",
  exif: "ignore",
  maxPixels: 100_000_000,
};

/** How far the image at `path` is from its reference picture. */
export async function differenceFrom(
  path: string,
  expected: string,
  options: Partial<DecodeOptions> = {},
): Promise<{ max: number; mean: number }> {
  const { pixels } = await decode(await reference(path), { ...TO_224, ...options });
  return difference(pixels, await referencePixels(expected));
}

/** The error that the decoding of these bytes ends with, which has to be of the caller's kind. */
export async function refusal(bytes: Uint8Array<ArrayBuffer>, options = TO_224): Promise<LabelerError> {
  const error: unknown = await decode(bytes, options).then(
    () => new Error("it was decoded"),
    (reason: unknown) => reason,
  );
  if (error instanceof LabelerError) return error;
  throw error;
}

/** Whether an image that is known to be good still decodes to what it should. */
export async function expectGoodImageToDecode(): Promise<void> {
  const { pixels } = await decode(await fixture("chelsea.png"), { ...TO_224, ...CENTER_OF_CHELSEA });
  expect(difference(pixels, await fixture("resize/chelsea_center.rgb"))).toEqual(EQUAL);
}

/** How resize/chelsea_center.rgb was made. */
export const CENTER_OF_CHELSEA = { width: 64, height: 48, crop: "center" } as const;

/** Damages each byte of a file in turn. */
export async function expectDamageToBeRefusedOrDecoded(file: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < file.length; at++) {
    const damaged = file.slice();
    damaged[at] ^= 0x55;
    await decode(damaged, { ...TO_224, maxPixels: 1_000_000 }).catch((error) => {
      expect(error.name, `byte ${at}: ${error.stack}`).toBe("LabelerError");
    });
  }
  await expectGoodImageToDecode();
}
