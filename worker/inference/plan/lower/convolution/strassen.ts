/** Which matrix products of a fast plan go by Strassen's multiplication, and what memory that takes: qd16_f32_gemm_4x8c2_strassen.c. */
import { STRASSEN_GAP, STRASSEN_PRODUCTS, STRASSEN_SUMS, STRASSEN_UNIT } from "../../layouts.ts";
import { align } from "../../step.ts";

/** The size of a matrix product: `rows` by `outChannels` sums of `reduction` products each. */
export interface Dimensions {
  readonly rows: number;
  readonly reduction: number;
  readonly outChannels: number;
}

/** What K and the number of output channels are divisible by. */
const DIVISOR = 32;
/** Bytes of left operands that stay in the cache while the weights pass by. */
const LEFT_BYTES = 640 << 10;

/** Weights up to which sums of four fit int16. */
export const LARGEST_WEIGHT = 8191;

/** Whether the kernel takes a product. */
export const fitsStrassen = ({ rows, reduction, outChannels }: Dimensions): boolean =>
  rows >= STRASSEN_UNIT && reduction % DIVISOR === 0 && outChannels % DIVISOR === 0;

/** Whether it is faster than qd16_f32_gemm_4x8c2_dot16x2, as measured: making the operands costs as much as it saves in smaller ones. */
export const paysStrassen = (dimensions: Dimensions): boolean =>
  fitsStrassen(dimensions) && dimensions.rows >= 128 && dimensions.reduction >= 512 && dimensions.outChannels >= 256;

/** Bytes of a row of four rows' left operands. */
const leftBytes = (reduction: number): number => (STRASSEN_PRODUCTS * reduction) / 2 / 4;

/** Rows at a time. */
export const strassenBlock = ({ rows, reduction }: Dimensions): number =>
  Math.min(
    Math.ceil(rows / STRASSEN_UNIT),
    Math.max(1, Math.floor(LEFT_BYTES / leftBytes(reduction) / STRASSEN_UNIT)),
  ) * STRASSEN_UNIT;

/** Bytes of `operands` for a block. */
export function strassenBytes({ reduction }: Dimensions, block: number): number {
  const left = leftBytes(reduction) * block;
  const right = STRASSEN_PRODUCTS * 4 * reduction;
  return align(
    left + right + 2 * STRASSEN_PRODUCTS * STRASSEN_GAP + STRASSEN_PRODUCTS * STRASSEN_SUMS * (block / STRASSEN_UNIT),
  );
}
