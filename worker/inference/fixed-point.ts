/** TensorFlow Lite's fixed-point multipliers, which scale the integer sums of a quantised operator to its output. */

/** multiplier · 2^−31 · 2^−shift; `multiplier` has 31 bits, `shift` is to the right, to the left where negative. */
export interface FixedPoint {
  readonly multiplier: number;
  readonly shift: number;
}

const ZERO: FixedPoint = { multiplier: 0, shift: 0 };

const double = new DataView(new ArrayBuffer(8));

/**
 * The exponent of C's frexp(): value · 2^−exponent is at least 0.5 and below 1. It is read from the bits, since log2
 * rounds.
 */
function exponentOf(value: number): number {
  double.setFloat64(0, value);
  return ((double.getUint16(0) >> 4) & 0x7ff) - 1022;
}

/** QuantizeMultiplier of tensorflow/lite/kernels/internal/quantization_util.cc, for non-negative values. */
export function fixedPoint(real: number): FixedPoint {
  let exponent = exponentOf(real);
  if (exponent < -32) return ZERO; // includes 0
  let multiplier = Math.round(real * 2 ** (31 - exponent));
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    exponent++;
  }
  return exponent < -31 ? ZERO : { multiplier, shift: 0 - exponent }; // never -0
}

/** The number that a multiplier stands for. */
export const realOf = ({ multiplier, shift }: FixedPoint): number => multiplier * 2 ** -(31 + shift);

/** MultiplyByQuantizedMultiplier of tensorflow/lite/kernels/internal/common.h, with its two roundings. */
export function multiplyFixed(value: number, { multiplier, shift }: FixedPoint): number {
  const left = value * 2 ** Math.max(0, -shift);
  // A product below 2^53 is exact as a number, which is faster than BigInt.
  const first =
    Math.abs(left) < 2 ** 21
      ? Math.floor((left * multiplier + 2 ** 30) / 2 ** 31)
      : Number((BigInt(left) * BigInt(multiplier) + (1n << 30n)) >> 31n);
  const right = Math.max(0, shift);
  const magnitude = Math.floor(Math.abs(first) / 2 ** right + (right === 0 ? 0 : 0.5));
  return first < 0 ? -magnitude : magnitude;
}
