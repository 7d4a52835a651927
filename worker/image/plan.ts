/** What is decoded of an image, at which scale, how turned, and how much memory that needs. */
import type { CodecInfo, CodecPlan } from "./codecs.ts";
import { type Box, centerBox, chooseScale, heightFirst, type Size, scaledSize, wholeBox } from "./geometry.ts";
import { MEMORY } from "./instances.ts";
import { ResizeOrder } from "./layouts.ts";
import { layoutOf, type Orientation, storedBox, toOrientation, turnSize } from "./orientation.ts";
import type { Scale } from "./scale-name.ts";
import type { ImageFormat } from "./sniff.ts";

export interface PlanOptions extends Size {
  /** `squash` resizes all of the picture whatever its shape, `center` only the square of centerBox. */
  readonly crop: "squash" | "center" | Box;
  /** Whether the picture is turned as EXIF says, or taken as stored, as eKuiper's tutorial plugin does. */
  readonly exif: "apply" | "ignore" | Orientation;
  /** JPEGs at a smaller scale where they are much larger than what is wanted, or at their full size if memory allows. */
  readonly scale?: Scale | undefined;
}

/**
 * What a buffered JPEG needs beside its coefficients, in bytes: in all, and for each channel of a column of the scaled
 * picture. Should it be more, decoding begins again in the large kind.
 */
const JPEG_OVERHEAD = 1.125 * (1 << 20);
const JPEG_COLUMN = 50;

export interface Plan extends CodecPlan {
  /** As seen. */
  readonly source: Size;
  readonly orientation: Orientation;
  /** What it will need at least, in bytes; 0 where that is little. */
  readonly memory: number;
}

/** What decoding a JPEG at this scale needs at least, in bytes; 0 where its rows stream. */
function memoryFor(info: CodecInfo, eighths: number): number {
  if (info.coefficientBytes === 0) return 0;
  const { width } = scaledSize(info, eighths);
  return info.coefficientBytes + JPEG_OVERHEAD + JPEG_COLUMN * info.components * width;
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
  while (eighths > 1 && memoryFor(info, eighths) > MEMORY.large) eighths /= 2;
  let memory = memoryFor(info, eighths);
  // At an eighth only the DC coefficients of a progressive file are needed, and these are few.
  if (memory > MEMORY.large) memory = 0;
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
