/** What the kernels make of TensorFlow Lite's fixed-point multipliers. */
import { type FixedPoint, realOf } from "../../fixed-point.ts";
import { REQUANTIZE_BASE, REQUANTIZE_BIAS } from "../layouts.ts";

/**
 * Where halves go in the second rounding of negative sums: away from zero, but up in TFLite's matrix product of int8
 * (ruy), which its reference kernels do not do.
 */
export type Rounding = "away" | "up";

/**
 * Of the floats of requantize.h: what it adds to them, their steps there, and how many steps too large results are meant
 * to be.
 */
export const NEAR = { base: REQUANTIZE_BASE, steps: 2 ** 15, more: 5 };

/** M, C and N, as requantize.h calls them. */
interface Factors {
  readonly multiplier: number;
  readonly offset: number;
  readonly negative: number;
}

/** What `struct Channels` has of a multiplier, as floats and as doubles. */
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
