/** What is decoded of an image, at which scale, how turned, and how much memory that needs. */
import type { CodecInfo, CodecPlan } from "./codecs.ts";
import { type Box, centerBox, chooseScale, heightFirst, type Size, scaledSize, wholeBox } from "./geometry.ts";
import { MEMORY } from "./instances.ts";
import { ResizeOrder } from "./layouts.ts";
import { layoutOf, type Orientation, storedBox, toOrientation, turnSize } from "./orientation.ts";
import type { ImageFormat } from "./sniff.ts";

export interface PlanOptions extends Size {
  /** `squash` resizes all of the picture whatever its shape, `center` only the square of centerBox. */
  readonly crop: "squash" | "center" | Box;
  /** Whether the picture is turned as EXIF says, or taken as stored, as eKuiper's tutorial plugin does. */
  readonly exif: "apply" | "ignore" | Orientation;
  /** JPEGs at the smallest scale that does no harm, or all at their full size. */
  readonly scale?: "fast" | "full";
}

/** What a buffered JPEG needs beside its coefficients, in bytes. Should it be more, decoding begins again in the large kind. */
const JPEG_OVERHEAD = 1.25 * (1 << 20);

export interface Plan extends CodecPlan {
  /** As seen. */
  readonly source: Size;
  readonly orientation: Orientation;
  /** What it will need at least, in bytes; 0 where that is little. */
  readonly memory: number;
}

/** How an image whose header is known is to be decoded. */
export function planFor(info: CodecInfo, format: ImageFormat, options: PlanOptions): Plan {
  const { exif, crop, scale } = options;
  const orientation = exif === "apply" ? toOrientation(info.orientation) : exif === "ignore" ? 1 : exif;
  const layout = layoutOf(orientation);
  const { transposed, columnsReversed, rowsReversed } = layout;
  const source = turnSize(info, layout);
  const boxOf = (size: Size): Box => (crop === "squash" ? wholeBox(size) : crop === "center" ? centerBox(size) : crop);
  let eighths = format === "jpeg" && scale !== "full" ? chooseScale(boxOf(source), options) : 8;
  let memory = info.coefficientBytes === 0 ? 0 : info.coefficientBytes + JPEG_OVERHEAD;
  if (memory > MEMORY.large) {
    // At an eighth only the DC coefficients of a progressive file are needed, and these are few.
    eighths = 1;
    memory = 0;
  }
  const stored = scaledSize(info, eighths);
  const seen = turnSize(stored, layout);
  const box = boxOf(seen);
  const rowsFirst = transposed !== heightFirst(box, options);
  return {
    source,
    orientation,
    memory,
    eighths,
    crop: storedBox(box, stored, layout),
    ...turnSize(options, layout),
    order:
      (columnsReversed ? ResizeOrder.mirrorColumns : 0) |
      (rowsReversed ? ResizeOrder.mirrorRows : 0) |
      (rowsFirst ? ResizeOrder.rowsFirst : 0),
  };
}
