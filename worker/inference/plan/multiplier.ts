/** TensorFlow Lite's fixed-point multipliers, and what the kernels make of them. */

/** multiplier · 2^−31 · 2^−shift; `multiplier` has 31 bits, `shift` is to the right, to the left where negative. */
export interface FixedPoint {
  readonly multiplier: number;
  readonly shift: number;
}

/** QuantizeMultiplier of tensorflow/lite/kernels/internal/quantization_util.cc. */
export function fixedPoint(real: number): FixedPoint {
  if (real === 0) return { multiplier: 0, shift: 0 };
  let exponent = Math.floor(Math.log2(real)) + 1;
  // log2 may round up to a whole number just below a power of two.
  if (real * 2 ** -exponent < 0.5) exponent--;
  let multiplier = Math.round(real * 2 ** (31 - exponent));
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    exponent++;
  }
  return exponent < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift: -exponent };
}

/** MultiplyByQuantizedMultiplier of tensorflow/lite/kernels/internal/common.h, with its two roundings. */
export function multiplyFixed(value: number, { multiplier, shift }: FixedPoint): number {
  const left = value * 2 ** Math.max(0, -shift);
  const first = Number((BigInt(left) * BigInt(multiplier) + (1n << 30n)) >> 31n);
  const right = Math.max(0, shift);
  const magnitude = Math.floor(Math.abs(first) / 2 ** right + (right === 0 ? 0 : 0.5));
  return first < 0 ? -magnitude : magnitude;
}

/** What requantize.h adds so that truncation is floor. */
const BIAS = 1024;

/** The doubles of `struct Channels`; requantize.h says what they are. */
export function requantization({ multiplier, shift }: FixedPoint): { m: number; c: number; n: number } {
  const n = shift > 0 ? 2 ** -shift : 0;
  return { m: multiplier * 2 ** -(31 + shift), c: BIAS + 0.5 + n / 2, n };
}
