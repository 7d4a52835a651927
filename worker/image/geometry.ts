/** Computes which part of a picture is used, and the scale at which it is decoded. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle of pixels; x and y are those of its top left corner. */
export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** The share of the short side that the central crop keeps, as in the training of the MobileNets. */
const CENTER = 0.875;

/**
 * The central square: its side is 87.5 % of the short side, rounded to the nearest pixel (halves up) and at least 1. If
 * the margins cannot be equal, the left and upper ones are smaller by a pixel.
 */
export function centerBox({ width, height }: Size): Box {
  const side = Math.max(1, Math.round(Math.min(width, height) * CENTER));
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), width: side, height: side };
}

/** The box of the whole picture. */
export const wholeBox = ({ width, height }: Size): Box => ({ x: 0, y: 0, width, height });

/** The size of a JPEG that is decoded at this scale. */
export const scaledSize = ({ width, height }: Size, eighths: number): Size => ({
  width: Math.ceil((width * eighths) / 8),
  height: Math.ceil((height * eighths) / 8),
});

/** The scales for which libjpeg has fast code, in eighths. */
const SCALES = [1, 2, 4];

/**
 * The smallest scale of a JPEG, in eighths, at which no side of the crop is below twice the target's. The results of
 * 114 photos stay within 0.36 levels on average of those from the full size. The effect and the cost of other factors
 * are in docs/explanation/decisions/035-decode-at-twice-the-input.md.
 */
export function chooseScale(crop: Size, target: Size): number {
  const enough = (eighths: number) =>
    crop.width * eighths >= 16 * target.width && crop.height * eighths >= 16 * target.height;
  return SCALES.find(enough) ?? 8;
}

/** Whether the height is resized first, as Pillow does for very tall pictures (Image.resize). */
export const heightFirst = (crop: Size, target: Size): boolean =>
  crop.height > crop.width * 100 && target.height < crop.height;
