/** What is decoded of an image, at which scale, how turned, and how much memory that needs. */
import type { CodecCrop, CodecInfo, CodecPlan } from "./codecs.ts";
import { boxIn, type Fractions } from "./fractions.ts";
import { type Box, centerBox, chooseScale, heightFirst, type Size, scaledSize, wholeBox } from "./geometry.ts";
import { MEMORY } from "./instances.ts";
import { ResizeOrder } from "./layouts.ts";
import { type Layout, layoutOf, type Orientation, storedBox, toOrientation, turnSize } from "./orientation.ts";
import { regionBytes } from "./region-memory.ts";
import type { Scale } from "./scale-name.ts";
import type { ImageFormat } from "./sniff.ts";

export interface PlanOptions extends Size {
  /** `squash` resizes all of the picture whatever its shape, `center` only the square of centerBox; or a rectangle. */
  readonly crop: "squash" | "center" | Box | Fractions;
  /** Rectangles in place of the crop, each of which is resized for itself. */
  readonly regions?: readonly Fractions[] | undefined;
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

/** What a decoder takes beside the regions, in bytes: of a small instance so much is left. */
const REGION_OVERHEAD = 1.5 * (1 << 20);

/** The boxes of a picture of this size that are resized, as seen. */
function boxesIn(size: Size, { crop, regions }: PlanOptions): [Box, ...Box[]] {
  const [first, ...others] = regions?.map((region) => boxIn(size, region)) ?? [];
  if (first !== undefined) return [first, ...others];
  if (crop === "squash") return [wholeBox(size)];
  if (crop === "center") return [centerBox(size)];
  return ["x0" in crop ? boxIn(size, crop) : crop];
}

/** @param stored The size of the scaled image as stored. */
function codecCrop(box: Box, stored: Size, target: Size, layout: Layout): CodecCrop {
  const { transposed, columnsReversed, rowsReversed } = layout;
  const rowsFirst = transposed !== heightFirst(box, target);
  return {
    ...storedBox(box, stored, layout),
    order:
      (columnsReversed ? ResizeOrder.mirrorColumns : 0) |
      (rowsReversed ? ResizeOrder.mirrorRows : 0) |
      (rowsFirst ? ResizeOrder.rowsFirst : 0),
  };
}

/** How an image whose header is known is to be decoded. */
export function planFor(info: CodecInfo, format: ImageFormat, options: PlanOptions): Plan {
  const { exif, scale } = options;
  const orientation = exif === "apply" ? toOrientation(info.orientation) : exif === "ignore" ? 1 : exif;
  const layout = layoutOf(orientation);
  const source = turnSize(info, layout);
  const scales = boxesIn(source, options).map((box) => chooseScale(box, options));
  let eighths = format === "jpeg" && scale !== "full" ? Math.max(...scales) : 8;
  const count = options.regions?.length ?? 1;
  const outputs = count > 1 ? REGION_OVERHEAD + regionBytes(count, options) : 0;
  while (eighths > 1 && memoryFor(info, eighths) + outputs > MEMORY.large) eighths /= 2;
  let memory = memoryFor(info, eighths) + outputs;
  // At an eighth only the DC coefficients of a progressive file are needed, and these are few.
  if (memory > MEMORY.large) memory = outputs;
  const stored = scaledSize(info, eighths);
  const [first, ...others] = boxesIn(turnSize(stored, layout), options);
  return {
    source,
    orientation,
    memory,
    eighths,
    crops: [
      codecCrop(first, stored, options, layout),
      ...others.map((box) => codecCrop(box, stored, options, layout)),
    ],
    ...turnSize(options, layout),
  };
}
