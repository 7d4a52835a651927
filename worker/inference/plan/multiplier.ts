/** What the kernels make of TensorFlow Lite's fixed-point multipliers. */
import type { FixedPoint } from "../fixed-point.ts";

/** What requantize.h adds so that truncation is floor. */
const BIAS = 1024;

/** The doubles of `struct Channels`; requantize.h says what they are. */
export function requantization({ multiplier, shift }: FixedPoint): { m: number; c: number; n: number } {
  const n = shift > 0 ? 2 ** -shift : 0;
  return { m: multiplier * 2 ** -(31 + shift), c: BIAS + 0.5 + n / 2, n };
}
