/** What labelling an image takes and gives. */
import type { Scale } from "../image/scale-name.ts";
import type { ImageFormat } from "../image/sniff.ts";
import type { Precision } from "../model/precision-name.ts";
import type { Label } from "../model/probabilities.ts";
import type { Crop } from "../model/spec.ts";
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
  readonly exif: "apply" | "ignore";
  /** As the model says if absent. */
  readonly precision?: Precision | undefined;
  /** Whether a JPEG may be decoded at a smaller scale; `full` with the precision `exact` if absent, else `auto`. */
  readonly scale?: Scale | undefined;
}

export interface Labelled {
  readonly labels: Label[];
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
