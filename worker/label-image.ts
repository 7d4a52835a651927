/** The way of an image through the labeler: decode and resize while it comes in, infer, label. */
import { decodeToInput } from "./image/decode.ts";
import type { Pieces } from "./image/pieces.ts";
import type { Classifier } from "./model/classifier.ts";
import type { IndexEntry } from "./model/index-entry.ts";
import type { Crop } from "./model/spec.ts";
import type { Label } from "./model/top-k.ts";

export interface LabelOptions {
  readonly top: number;
  readonly min: number;
  /** As the model says if absent. */
  readonly crop?: Crop | undefined;
  readonly exif: "apply" | "ignore";
  /** The largest image, in pixels. */
  readonly maxPixels: number;
}

export interface Labelled {
  readonly labels: Label[];
  /** How much of the picture is missing because its file ends early, 0..1. */
  readonly missing: number;
}

/**
 * Labels one image.
 *
 * @param image The bytes of an image file, and how many they will be if that is known.
 * @param model What the catalogue says of the model; its shape is needed before its weights are.
 * @param classifier Gives the loaded model. Asked when the pixels are there: it may be disposed of while one waits.
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, or the model cannot be had.
 */
export async function labelImage(
  image: { readonly pieces: Pieces; readonly size: number | undefined },
  model: IndexEntry,
  classifier: () => Promise<Classifier>,
  { top, min, crop, exif, maxPixels }: LabelOptions,
): Promise<Labelled> {
  // An entry without an input is a model that cannot be used: the classifier says why.
  const { width, height } = model.input ?? (await classifier()).input;
  const { pixels, missing } = await decodeToInput(image.pieces, {
    width,
    height,
    crop: crop ?? model.crop ?? "squash",
    exif,
    maxPixels,
    fileSize: image.size,
  });
  return { labels: (await classifier()).classify(pixels, { top, min }), missing };
}
