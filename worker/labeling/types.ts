/** What labelling an image takes and gives. */
import type { Scale } from "../image/scale-name.ts";
import type { ImageFormat } from "../image/sniff.ts";
import type { Crop } from "../model/crop.ts";
import type { Precision } from "../model/precision-name.ts";
import type { Label } from "../model/probabilities.ts";
import type { RegionChoice } from "../model/regions.ts";
import type { Found } from "../observability/trace.ts";
import type { ByteStream } from "../runtime/byte-stream.ts";
import type { Reception } from "../runtime/reception.ts";

/** The bytes of an image file, which may still be coming. */
export interface ImageSource {
  readonly pieces: ByteStream;
  /** How many bytes they will be, if that is known. */
  readonly size: number | undefined;
  /** All of them, if they are in memory. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** How they come in, if they still do. */
  readonly reception?: Reception | undefined;
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
  /** Rectangles that are labelled one by one, in place of the crop; as the model says if absent. */
  readonly regions?: readonly RegionChoice[] | undefined;
  /** Whether the answer has room for the labels of one region alone. */
  readonly oneAnswer?: boolean | undefined;
  readonly exif: "apply" | "ignore";
  /** As the model says if absent. */
  readonly precision?: Precision | undefined;
  /** Whether a JPEG may be decoded at a smaller scale; `full` with the precision `exact` if absent, else `auto`. */
  readonly scale?: Scale | undefined;
}

/** A region with its labels. */
export interface LabelledRegion {
  readonly name: string;
  readonly labels: Label[];
}

/** The labels of each region by its name, which may be any; JSON has it in this form. */
export const labelsByRegion = (regions: readonly LabelledRegion[]): Record<string, Label[]> =>
  Object.fromEntries(regions.map(({ name, labels }) => [name, labels]));

export interface Labelled {
  /** Of the picture, or of its region if it has one alone; none if it has several. */
  readonly labels: Label[];
  /** The regions in their order, where the picture is not labelled as one. */
  readonly regions?: readonly LabelledRegion[] | undefined;
  /** How much of the picture is missing because its data end early, 0..1. */
  readonly missing: number;
  /** Places with damage that the decoder went around. */
  readonly warnings: number;
  /** The scale at which the image was decoded, in eighths. */
  readonly eighths: number;
  /** The name of the model that labelled. */
  readonly model: string;
  readonly format: ImageFormat;
  /** The SHA-256 of image, model and parameters, in hexadecimal, where the image was read to its end and results are cached. */
  readonly key?: string | undefined;
  /** Where the answer was found; undefined if it was made. */
  readonly found?: Found | undefined;
}
