/** The way of an image through the labeler, once it is in memory: decode, resize, infer, label. */
import { decodeToInput } from "./image/decode.ts";
import type { Classifier } from "./model/classifier.ts";
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

/**
 * Labels one image.
 *
 * @param image The bytes of an image file.
 * @param classifier Gives the model; asked again after the decoding, since another load may have taken its place.
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, or the model cannot be had.
 */
export async function labelImage(
  image: Uint8Array<ArrayBuffer>,
  classifier: () => Promise<Classifier>,
  { top, min, crop, exif, maxPixels }: LabelOptions,
): Promise<Label[]> {
  const { input, crop: usual } = await classifier();
  const { pixels } = await decodeToInput(image, {
    width: input.width,
    height: input.height,
    crop: crop ?? usual,
    exif,
    maxPixels,
  });
  return (await classifier()).classify(pixels, { top, min });
}
