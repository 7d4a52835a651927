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
    if (at > 0) await scheduler.wait(0);
    yield bytes.subarray(at, at + STEP);
  }
}

/** An image whose file is in memory. */
export const imageFrom = (bytes: Uint8Array): ImageSource => ({
  pieces: new Pieces(bytes.length > STEP ? steps(bytes) : [bytes]),
  size: bytes.length,
});

export interface Model {
  readonly entry: IndexEntry;
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
  return { entry, classifier };
}

/**
 * Labels one image.
 *
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, or the model cannot be had.
 * @example const { labels } = await labelOne(imageFrom(bytes), { top: 5, min: 0, exif: "apply" }, context);
 */
export async function labelOne(image: ImageSource, options: LabelOptions, context: LabelContext): Promise<Labelled> {
  const model = await prepareModel(options, context);
  const { pixels, missing, format } = await pixelsOf(image, model, options, context);
  const labels = (await model.classifier()).classify(pixels, options);
  return { labels, missing, model: model.entry.name, format };
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
  return decodeToInput(image.pieces, {
    width,
    height,
    crop: options.crop ?? entry.crop ?? "squash",
    exif: options.exif,
    maxPixels: context.maxPixels,
    fileSize: image.size,
  });
}
