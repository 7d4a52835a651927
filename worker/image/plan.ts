/** Plans the decoding of an image: its crops, scale, orientation and memory. */
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
  /** `squash` resizes the whole picture whatever its shape, `center` only the square of centerBox; or a rectangle. */
  readonly crop: "squash" | "center" | Box | Fractions;
  /** Rectangles instead of the crop, each of which is resized separately. */
  readonly regions?: readonly Fractions[] | undefined;
  /** Whether the picture is turned as EXIF says, or used as stored, as in eKuiper's tutorial plugin. */
  readonly exif: "apply" | "ignore" | Orientation;
  /**
   * `auto` decodes JPEGs at a smaller scale if they are much larger than the target, `full` at full size if memory
   * allows.
   */
  readonly scale?: Scale | undefined;
}

/**
 * The memory that a buffered JPEG needs in addition to its coefficients, in bytes: in total, and for each channel of a
 * column of the scaled picture. If it needs more, decoding restarts in an instance of the large kind.
 */
const JPEG_OVERHEAD = 1.125 * (1 << 20);
const JPEG_COLUMN = 50;

export interface Plan extends CodecPlan {
  /** The size of the picture as seen. */
  readonly source: Size;
  readonly orientation: Orientation;
  /** The least memory that decoding needs, in bytes; 0 if it is small. */
  readonly memory: number;
}

/** The least memory that decoding a JPEG at this scale needs, in bytes; 0 if its rows stream. */
function memoryFor(info: CodecInfo, eighths: number): number {
  if (info.coefficientBytes === 0) return 0;
  const { width } = scaledSize(info, eighths);
  return info.coefficientBytes + JPEG_OVERHEAD + JPEG_COLUMN * info.components * width;
}

/** The memory of a small instance that the decoder needs beside the regions, in bytes. */
const REGION_OVERHEAD = 1.5 * (1 << 20);

/** The boxes that are resized in a picture of this size, as seen. */
function boxesIn(size: Size, { crop, regions }: PlanOptions): [Box, ...Box[]] {
  const [first, ...others] = regions?.map((region) => boxIn(size, region)) ?? [];
  if (first !== undefined) return [first, ...others];
  if (crop === "squash") return [wholeBox(size)];
  if (crop === "center") return [centerBox(size)];
  return ["x0" in crop ? boxIn(size, crop) : crop];
}

/** @param box A box of the scaled picture, as stored. */
function codecCrop(box: Box, { width, height }: Size, layout: Layout): CodecCrop {
  const { transposed, columnsReversed, rowsReversed } = layout;
  const seen = turnSize(box, layout);
  const rowsFirst = transposed !== heightFirst(seen, { width, height });
  return {
    ...box,
    order:
      (columnsReversed ? ResizeOrder.mirrorColumns : 0) |
      (rowsReversed ? ResizeOrder.mirrorRows : 0) |
      (rowsFirst ? ResizeOrder.rowsFirst : 0),
  };
}

/**
 * The pixels of a scaled side that cover a part of it, and the eighths of the outer pixels that lie outside the part.
 */
function scaledSpan(start: number, length: number, eighths: number) {
  const [begin, end] = [start * eighths, (start + length) * eighths]; // in eighths of a scaled pixel
  const [first, last] = [Math.floor(begin / 8), Math.ceil(end / 8)];
  return { first, length: last - first, before: begin - first * 8, behind: last * 8 - end };
}

/** A rectangle of the full picture at a smaller scale, with its exact edges. @param box As stored. */
function scaledRectangle(box: Box, eighths: number, target: Size, layout: Layout): CodecCrop {
  const columns = scaledSpan(box.x, box.width, eighths);
  const rows = scaledSpan(box.y, box.height, eighths);
  const hull = { x: columns.first, y: rows.first, width: columns.length, height: rows.length };
  const inset = { left: columns.before, right: columns.behind, top: rows.before, bottom: rows.behind };
  return { ...codecCrop(hull, target, layout), inset };
}

/** The crops of a picture that is decoded at a scale. */
function cropsOf(info: Size, eighths: number, options: PlanOptions, layout: Layout): [CodecCrop, ...CodecCrop[]] {
  const { crop, regions } = options;
  const isRectangle = regions !== undefined || (typeof crop === "object" && "x0" in crop);
  const stored = isRectangle ? info : scaledSize(info, eighths);
  const [first, ...others] = boxesIn(turnSize(stored, layout), options);
  const make = (box: Box): CodecCrop => {
    const turned = storedBox(box, stored, layout);
    return isRectangle ? scaledRectangle(turned, eighths, options, layout) : codecCrop(turned, options, layout);
  };
  return [make(first), ...others.map(make)];
}

/** Plans the decoding of an image whose header is known. */
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
  // At one eighth, a progressive file needs only its DC coefficients, which are few.
  if (memory > MEMORY.large) memory = outputs;
  return {
    source,
    orientation,
    memory,
    eighths,
    crops: cropsOf(info, eighths, options, layout),
    ...turnSize(options, layout),
  };
}
