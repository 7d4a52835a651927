/**
 * The way of an image through the labeler: decode and resize while it comes in, infer, label. Every call that labels goes
 * through labelOne(), whatever the form its image came in. Knows nothing of HTTP.
 */
import { type DecodedImage, decodeToInput } from "./image/decode.ts";
import { Pieces } from "./image/pieces.ts";
import type { ImageFormat } from "./image/sniff.ts";
import type { Catalogue, ModelSource } from "./model/catalogue.ts";
import type { Classifier } from "./model/classifier.ts";
import { type IndexEntry, precisionFor } from "./model/index-entry.ts";
import type { Precision } from "./model/precision-name.ts";
import type { Crop } from "./model/spec.ts";
import type { Label } from "./model/top-k.ts";
import type { Slots } from "./slots.ts";
import { ran, turnToDecode, turnToInfer, WHOLE_TURN } from "./turns.ts";

/** The bytes of an image file, which may still be coming, and how many they will be if that is known. */
export interface ImageSource {
  readonly pieces: Pieces;
  readonly size: number | undefined;
}

export interface LabelOptions {
  /** The default model if absent. */
  readonly model?: string | undefined;
  /** How many labels at most. */
  readonly top: number;
  /** The least confidence of a label, 0..1. */
  readonly min: number;
  /** As the model says if absent. */
  readonly crop?: Crop | undefined;
  readonly exif: "apply" | "ignore";
  /** As the model says if absent. */
  readonly precision?: Precision | undefined;
}

/** What labelling needs beside the image: the same for all images of a request. */
export interface LabelContext {
  readonly catalogue: Catalogue;
  readonly source: ModelSource;
  readonly defaultModel: string;
  /** The largest image, in pixels. */
  readonly maxPixels: number;
  /** Bounds how much is decoded and inferred at once; unbounded if absent. */
  readonly slots?: Slots | undefined;
  /** Says that a slot is still in use. */
  readonly alive?: (() => void) | undefined;
  /** Aborted when whoever asked has gone: its slot is free then. */
  readonly signal?: AbortSignal | undefined;
}

export interface Labelled {
  readonly labels: Label[];
  /** How much of the picture is missing because its file ends early, 0..1. */
  readonly missing: number;
  /** The name of the model that labelled. */
  readonly model: string;
  readonly format: ImageFormat;
}

/** In bytes: a large image that is in memory already is decoded in steps of this size. */
const STEP = 256 << 10;

/** Pieces of what is there already, with room for other requests in between: decoding it at once would block them all. */
async function* steps(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += STEP) {
    yield bytes.subarray(at, at + STEP);
  }
}

/** An image whose file is in memory. */
export const imageFrom = (bytes: Uint8Array): ImageSource => ({
  pieces: new Pieces(bytes.length > STEP ? steps(bytes) : [bytes]),
  size: bytes.length,
});

/** Does something once there is a slot for it. What it calls with the context that it gets needs no other one. */
export async function admitted<T>(context: LabelContext, work: (context: LabelContext) => Promise<T>): Promise<T> {
  const { slots, signal } = context;
  if (slots === undefined) return work(context);
  const lease = await slots.acquire(1, signal);
  const release = () => lease.release();
  signal?.addEventListener("abort", release, { once: true });
  try {
    return await work({ ...context, slots: undefined, alive: () => lease.extend() });
  } finally {
    signal?.removeEventListener("abort", release);
    release();
  }
}

/** The bytes of an image, each piece a sign of life, and given when it is this image's turn. */
async function* watched(pieces: Pieces, alive: (() => void) | undefined): AsyncGenerator<Uint8Array, void> {
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    alive?.();
    await turnToDecode();
    const start = performance.now();
    yield piece;
    ran(performance.now() - start);
  }
}

export interface Model {
  readonly entry: IndexEntry;
  /** Runs the network when it is this request's turn. What `infer` does, it does at once: see classifier(). */
  run<T>(infer: (classifier: Classifier) => T): Promise<T>;
  /** Gives the loaded model. Asked when the pixels are there: it may be disposed of while one waits. */
  classifier(): Promise<Classifier>;
}

/**
 * Finds the model and starts to load it, so that a cold one loads while the image is still coming. To be called as early
 * as possible; labelOne() does it, too.
 *
 * @throws LabelerError of kind unknown-model, or bad-parameter if the model cannot have the precision.
 */
export async function prepareModel(
  { model, ...asked }: Pick<LabelOptions, "model" | "precision">,
  context: LabelContext,
): Promise<Model> {
  const { catalogue, source, defaultModel } = context;
  const name = model ?? defaultModel;
  const entry = await catalogue.describe(name, source);
  const precision = precisionFor(entry, asked.precision);
  const classifier = () => catalogue.get(name, source, precision);
  classifier().catch(() => undefined); // who needs the model learns of it
  const run = async <T>(infer: (classifier: Classifier) => T): Promise<T> => {
    await classifier();
    await turnToInfer();
    const loaded = await classifier();
    const start = performance.now();
    try {
      return infer(loaded);
    } finally {
      ran(Math.max(WHOLE_TURN, performance.now() - start));
    }
  };
  return { entry, classifier, run };
}

/**
 * Labels one image.
 *
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, the model cannot be had, or the labeler
 *   is busy.
 * @example const { labels } = await labelOne(imageFrom(bytes), { top: 5, min: 0, exif: "apply" }, context);
 */
export async function labelOne(image: ImageSource, options: LabelOptions, context: LabelContext): Promise<Labelled> {
  const model = await prepareModel(options, context);
  return admitted(context, async (context) => {
    const { pixels, missing, format } = await pixelsOf(image, model, options, context);
    const labels = await model.run((classifier) => classifier.classify(pixels, options));
    return { labels, missing, model: model.entry.name, format };
  });
}

/**
 * Decodes an image to a model's input.
 *
 * @returns Pixels [height, width, 3] of the model's input, 0..255, red first.
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, or the model cannot be used.
 */
export async function pixelsOf(
  image: ImageSource,
  { entry, classifier }: Model,
  options: Pick<LabelOptions, "crop" | "exif">,
  context: LabelContext,
): Promise<DecodedImage> {
  // An entry without an input is a model that cannot be used: the classifier says why.
  const { width, height } = entry.input ?? (await classifier()).input;
  return decodeToInput(new Pieces(watched(image.pieces, context.alive)), {
    width,
    height,
    crop: options.crop ?? entry.crop ?? "squash",
    exif: options.exif,
    maxPixels: context.maxPixels,
    fileSize: image.size,
  });
}
