/** Which matrix products of a fast plan go by Strassen's multiplication, and what memory that takes: qd16_f32_gemm_4x8c2_strassen.c. */
import { STRASSEN_GAP, STRASSEN_PRODUCTS, STRASSEN_SUMS, STRASSEN_UNIT } from "../../layouts.ts";
import { align } from "../../step.ts";

/** Of what is multiplied: rows of the input by columns of the output, `depth` products each. */
export interface Dimensions {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

/** What depth and columns are divisible by. */
const DIVISOR = 32;
/** Bytes of left operands that stay in the cache while the weights pass by. */
const LEFT_BYTES = 640 << 10;

/** Weights up to which sums of four fit int16. */
export const LARGEST_WEIGHT = 8191;

/** Whether the kernel takes a product. */
export const fitsStrassen = ({ rows, depth, columns }: Dimensions): boolean =>
  rows >= STRASSEN_UNIT && depth % DIVISOR === 0 && columns % DIVISOR === 0;

/** Whether it is faster than qd16_f32_gemm_4x8c2_dot16x2, as measured: making the operands costs as much as it saves in smaller ones. */
export const paysStrassen = (dimensions: Dimensions): boolean =>
  fitsStrassen(dimensions) && dimensions.rows >= 128 && dimensions.depth >= 512 && dimensions.columns >= 256;

/** Bytes of a row of four rows' left operands. */
const leftBytes = (depth: number): number => (STRASSEN_PRODUCTS * depth) / 2 / 4;

/** Rows at a time. */
export const strassenBlock = ({ rows, depth }: Dimensions): number =>
  Math.min(Math.ceil(rows / STRASSEN_UNIT), Math.max(1, Math.floor(LEFT_BYTES / leftBytes(depth) / STRASSEN_UNIT))) *
  STRASSEN_UNIT;

/** Bytes of `operands` for a block. */
export function strassenBytes({ depth }: Dimensions, block: number): number {
  const left = leftBytes(depth) * block;
  const right = STRASSEN_PRODUCTS * 4 * depth;
  return align(
    left + right + 2 * STRASSEN_PRODUCTS * STRASSEN_GAP + STRASSEN_PRODUCTS * STRASSEN_SUMS * (block / STRASSEN_UNIT),
  );
}
