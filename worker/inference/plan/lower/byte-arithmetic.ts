/** Sums, differences and products of bytes in TensorFlow Lite's arithmetic: the parameters of qu8_vbinary. */
import { type FixedPoint, fixedPoint, multiplyFixed, realOf } from "../../fixed-point.ts";
import { type Elementwise, ElementwiseOperation, SUM_ERROR, SUM_SHIFT } from "../layouts.ts";
import { NEAR, requantization } from "../pack/multiplier.ts";
import type { OfBytes } from "./byte-pairs.ts";
import type { ByteValue } from "./value.ts";

/** The multipliers of a, b and the output. */
export type Multipliers = (a: ByteValue, b: ByteValue, output: ByteValue) => FixedPoint[];

/** tensorflow/lite/kernels/add.cc and sub.cc */
export const sumMultipliers: Multipliers = (a, b, output) => {
  const twice = 2 * Math.max(a.scale, b.scale);
  return [a.scale / twice, b.scale / twice, twice / (2 ** SUM_SHIFT * output.scale)].map(fixedPoint);
};

/** tensorflow/lite/kernels/mul.cc */
export const productMultipliers: Multipliers = (a, b, output) =>
  [0, 0, Math.fround(Math.fround(a.scale * b.scale) / output.scale)].map(fixedPoint);

/** The least shift of a sum that is computed in f32; see vbinary.c. */
const LEAST_SHIFT = 17;

/** The signs of a and b in sums, by operation. */
const SIGNS: { readonly [operation in ElementwiseOperation]?: readonly [a: number, b: number] } = {
  [ElementwiseOperation.add]: [1, 1],
  [ElementwiseOperation.subtract]: [1, -1],
  [ElementwiseOperation.subtractFrom]: [-1, 1],
};

type InF32 = Pick<Elementwise, "inF32" | "aFactor" | "bFactor" | "offset">;

/** Whether and how products may be computed in f32 first. */
function productInF32(output: ByteValue, ofProduct: FixedPoint): InF32 {
  const { multiplier, offset, negative } = requantization(ofProduct, "away").near;
  return {
    inF32: ofProduct.shift >= 0 ? 1 : 0,
    aFactor: multiplier,
    bFactor: negative,
    offset: offset + output.zero,
  };
}

/** Whether and how sums and products may be computed in f32 first. */
export function tryInF32(
  operation: ElementwiseOperation,
  [aZero, bZero]: readonly number[],
  output: ByteValue,
  [ofA, ofB, ofSum]: readonly FixedPoint[],
): InF32 {
  const signs = SIGNS[operation];
  if (signs === undefined) return productInF32(output, ofSum);
  const unit = realOf(ofSum) * 2 ** SUM_SHIFT;
  const [a, b] = [signs[0] * realOf(ofA) * unit, signs[1] * realOf(ofB) * unit];
  const offset = NEAR.base + 0.5 + SUM_ERROR / NEAR.steps + output.zero - a * aZero - b * bZero;
  const inF32 = Math.abs(a) + Math.abs(b) <= 2 && ofSum.shift >= LEAST_SHIFT;
  return { inF32: inF32 ? 1 : 0, aFactor: a, bFactor: b, offset };
}

/** Sums and products as qu8_vbinary computes them: add.cc, sub.cc and mul.cc. @param multipliers Of a, b and the result. */
export function arithmetic(operation: ElementwiseOperation, multipliers: readonly FixedPoint[]): OfBytes {
  const [ofA, ofB, ofResult] = multipliers;
  if (operation === ElementwiseOperation.multiply) return (a, b) => multiplyFixed(a * b, ofResult);
  const [signA, signB] = [operation === ElementwiseOperation.subtractFrom, operation === ElementwiseOperation.subtract];
  const scaled = (value: number, by: FixedPoint, isNegative: boolean) =>
    (isNegative ? -1 : 1) * multiplyFixed(value * 2 ** SUM_SHIFT, by);
  return (a, b) => multiplyFixed(scaled(a, ofA, signA) + scaled(b, ofB, signB), ofResult);
}
