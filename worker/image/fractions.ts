/** A rectangle of a picture in fractions of its sides, so that it is independent of the picture's size. */
import type { Box, Size } from "./geometry.ts";

/**
 * Fractions of the picture as it is seen, that is after its orientation: 0 ≤ x0 < x1 ≤ 1 from the left, y from the top.
 */
export interface Fractions {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Four decimal numbers such as 0.25,0,0.75,.5. */
export const FRACTIONS = /^(?:\d+(?:\.\d*)?|\.\d+)(?:,(?:\d+(?:\.\d*)?|\.\d+)){3}$/;

/** How a rectangle is written, for errors. */
export const FRACTIONS_FORM = "x0,y0,x1,y1 with 0 ≤ x0 < x1 ≤ 1 and 0 ≤ y0 < y1 ≤ 1, such as 0.25,0,0.75,0.5";

/** @returns Undefined unless the numbers are the x0, y0, x1 and y1 of a rectangle. */
export function fractionsOf(numbers: readonly number[]): Fractions | undefined {
  const [x0 = -1, y0 = -1, x1 = -1, y1 = -1] = numbers;
  const isRectangle = numbers.length === 4 && 0 <= x0 && x0 < x1 && x1 <= 1 && 0 <= y0 && y0 < y1 && y1 <= 1;
  return isRectangle ? { x0, y0, x1, y1 } : undefined;
}

/** @returns Undefined for a text that is not a rectangle; see FRACTIONS_FORM. */
export const parseFractions = (text: string): Fractions | undefined =>
  FRACTIONS.test(text) ? fractionsOf(text.split(",").map(Number)) : undefined;

/** Writes a rectangle in the form that parseFractions() reads. */
export const writeFractions = ({ x0, y0, x1, y1 }: Fractions): string => [x0, y0, x1, y1].join(",");

/** Rounds to the nearest integer, halves to the even one, as Python does. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The pixels between two fractions of a side: rounded as Pillow's crop does, and at least one. */
function span(from: number, to: number, side: number): readonly [start: number, length: number] {
  const start = Math.min(roundToEven(from * side), side - 1);
  return [start, Math.max(1, roundToEven(to * side) - start)];
}

/** The pixels of a rectangle in a picture: those of Pillow's `image.crop((x0 * width, y0 * height, …))`. */
export function boxIn(size: Size, { x0, y0, x1, y1 }: Fractions): Box {
  const [x, width] = span(x0, x1, size.width);
  const [y, height] = span(y0, y1, size.height);
  return { x, y, width, height };
}
