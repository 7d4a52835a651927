/** Adam7, the order of the pixels in an interlaced PNG: for the bench's writer, and for the tests of the resize. */

/** A pass: its first column and row, and the steps to the next column and row. */
export type Pass = readonly [left: number, top: number, stepX: number, stepY: number];

export const ADAM7: readonly Pass[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
