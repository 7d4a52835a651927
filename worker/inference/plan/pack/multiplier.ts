/** Converts TensorFlow Lite's fixed-point multipliers to the constants of the kernels. */
import { type FixedPoint, realOf } from "../../fixed-point.ts";
import { REQUANTIZE_BASE, REQUANTIZE_BIAS } from "../layouts.ts";

/**
 * How the second rounding treats halves of negative sums: away from zero, but up in TFLite's matrix product of int8
 * (ruy), unlike in its reference kernels.
 */
export type Rounding = "away" | "up";

/**
 * The f32 arithmetic of requantize.h: the base that it adds to results, their steps per unit, and how many steps too
 * large results are on purpose.
 */
export const NEAR = { base: REQUANTIZE_BASE, steps: 2 ** 15, more: 5 };

/** M, C and N, as requantize.h calls them. */
interface Factors {
  readonly multiplier: number;
  readonly offset: number;
  readonly negative: number;
}

/** The fields of `struct Channels` for a multiplier, in single and double precision. */
export function requantization(fixed: FixedPoint, rounding: Rounding): { near: Factors; exact: Factors } {
  const half = fixed.shift > 0 ? 2 ** -(fixed.shift + 1) : 0;
  const [multiplier, c, n] = [realOf(fixed), 0.5 + half, rounding === "up" ? 0 : 2 * half];
  const { base, steps, more } = NEAR;
  return {
    near: {
      multiplier,
      offset: base + (Math.round(c * steps) + more) / steps,
      negative: Math.round(n * steps) / steps,
    },
    exact: { multiplier, offset: REQUANTIZE_BIAS + c, negative: n },
  };
}
