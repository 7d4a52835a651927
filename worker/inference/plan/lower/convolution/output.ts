/** How a convolution limits and rounds its output: parameters that its kernels share. */
import type { Range } from "../../layouts.ts";
import type { Rounding } from "../../pack/multiplier.ts";
import type { ByteDot } from "../builder.ts";
import { NO_RANGE } from "../parts.ts";
import { clampOf, INT16_STEP, rangeOf, type Value } from "../value.ts";
import type { Convolution } from "./geometry.ts";

const isInt16 = (value: Value): boolean => value.kind === "f32" && value.int16;

/** Whether input and output are int16 activations. */
export interface Int16Ends {
  readonly input: boolean;
  readonly output: boolean;
}

export const int16EndsOf = (input: Value, output: Value): Int16Ends => ({
  input: isInt16(input),
  output: isInt16(output),
});

/** What bytes are XORed with, so that a signed dot product takes them less 128. */
export const flipOf = (dot: ByteDot | false): number => (dot === "signed" ? 128 : 0);

/** What a value of one is in the memory of a float tensor, inverted. */
export const unitOf = (value: Value): number => (isInt16(value) ? INT16_STEP : 1);

/**
 * Clamp of a float output in its own unit, zero point and clamp of a quantised one, and whether halves of negative sums
 * that are rounded away from zero can be seen in it.
 */
export function outputOf(operator: Convolution, input: Value, output: Value, rounding: Rounding) {
  const { activation } = operator.options;
  const [low, high] = clampOf(activation).map((limit) => limit / unitOf(output));
  const int16 = int16EndsOf(input, output);
  const range: Range = output.kind === "f32" ? NO_RANGE : rangeOf(activation, output);
  return {
    range,
    signs: output.kind === "u8" && rounding === "away" && range.low < range.zero ? 1 : 0,
    low,
    high,
    int16Input: int16.input ? 1 : 0,
    int16Output: int16.output ? 1 : 0,
  };
}
