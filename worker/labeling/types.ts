/** The inputs and results of labelling an image. */
import type { Scale } from "../image/scale-name.ts";
import type { ImageFormat } from "../image/sniff.ts";
import type { Crop } from "../model/crop.ts";
import type { Precision } from "../model/precision-name.ts";
import type { Label } from "../model/probabilities.ts";
import type { RegionChoice } from "../model/regions.ts";
import type { Found } from "../observability/trace.ts";
import type { ByteStream } from "../runtime/byte-stream.ts";
import type { Reception } from "../runtime/reception.ts";

/** The bytes of an image file, which may still be arriving. */
export interface ImageSource {
  readonly stream: ByteStream;
  /** The size of the file in bytes, if it is known. */
  readonly size: number | undefined;
  /** All bytes, if they are in memory. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** The progress of the body, if it is still arriving. */
  readonly reception?: Reception | undefined;
}

export interface LabelOptions {
  /** The name of the model; the default model if absent. */
  readonly model?: string | undefined;
  /** The largest number of labels. */
  readonly top: number;
  /** The least confidence of a label, 0..1. */
  readonly min: number;
  /** The crop; the model's own if absent. */
  readonly crop?: Crop | undefined;
  /** Regions that are labelled one by one instead of the crop; the model's own if absent. */
  readonly regions?: readonly RegionChoice[] | undefined;
  /** Whether the response can hold the labels of only one region. */
  readonly oneAnswer?: boolean | undefined;
  readonly exif: "apply" | "ignore";
  /** The precision; the model's own if absent. */
  readonly precision?: Precision | undefined;
  /** Whether a JPEG may be decoded at a smaller scale; `full` with the precision `exact` if absent, else `auto`. */
  readonly scale?: Scale | undefined;
}

/** A region with its labels. */
export interface LabelledRegion {
  readonly name: string;
  readonly labels: Label[];
}

/** The labels of each region by its name, as JSON responses have them. A name may be any string. */
export const labelsByRegion = (regions: readonly LabelledRegion[]): Record<string, Label[]> =>
  Object.fromEntries(regions.map(({ name, labels }) => [name, labels]));

export interface Labelled {
  /** The labels of the picture, or of its region if it has exactly one; empty if it has several. */
  readonly labels: Label[];
  /** The regions in their order, where the picture is not labelled as one. */
  readonly regions?: readonly LabelledRegion[] | undefined;
  /** How much of the picture is missing because its data end early, 0..1. */
  readonly missing: number;
  /** The number of damaged places that the decoder skipped. */
  readonly warnings: number;
  /** The scale at which the image was decoded, in eighths. */
  readonly eighths: number;
  /** The name of the model that was used. */
  readonly model: string;
  readonly format: ImageFormat;
  /**
   * The SHA-256 of image, model and parameters, in hexadecimal; only if the file was read to its end and results are
   * cached.
   */
  readonly key?: string | undefined;
  /** The cache in which the result was found; undefined if it was computed. */
  readonly found?: Found | undefined;
}
