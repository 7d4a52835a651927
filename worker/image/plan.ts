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

/** @param box Of the scaled picture, as stored. */
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

/** The pixels of a side that a part of it lies in at a smaller scale, and the eighths of the outer ones that it does not. */
function scaledSpan(start: number, length: number, eighths: number) {
  const [begin, end] = [start * eighths, (start + length) * eighths]; // in eighths of a scaled pixel
  const [first, last] = [Math.floor(begin / 8), Math.ceil(end / 8)];
  return { first, length: last - first, before: begin - first * 8, behind: last * 8 - end };
}

/** A rectangle of the full picture at a smaller scale, with its edges where they are. @param box As stored. */
function scaledRectangle(box: Box, eighths: number, target: Size, layout: Layout): CodecCrop {
  const columns = scaledSpan(box.x, box.width, eighths);
  const rows = scaledSpan(box.y, box.height, eighths);
  const hull = { x: columns.first, y: rows.first, width: columns.length, height: rows.length };
  const inset = { left: columns.before, right: columns.behind, top: rows.before, bottom: rows.behind };
  return { ...codecCrop(hull, target, layout), inset };
}

/** What is resized of a picture that is decoded at a scale. */
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
  return {
    source,
    orientation,
    memory,
    eighths,
    crops: cropsOf(info, eighths, options, layout),
    ...turnSize(options, layout),
  };
}
