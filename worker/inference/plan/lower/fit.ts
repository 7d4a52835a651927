/**
 * Whether the shapes that a file states fit each other. Kernels believe them, and would write outside of their tensors
 * where they do not; the executor computes its own shapes and says what is wrong.
 */
import type { Operator } from "../../../tflite/graph.ts";
import { sizeOf } from "../../constants.ts";
import { NoPlan } from "./value.ts";

/** @throws NoPlan that names the operator unless `holds`. */
export function mustFit(operator: Operator, holds: boolean): void {
  if (!holds) throw new NoPlan(`operator ${operator.index} (${operator.op}) has shapes that do not fit each other`);
}

/** @throws NoPlan unless the shape holds `size` values. */
export const mustHold = (operator: Operator, shape: readonly number[], size: number): void =>
  mustFit(operator, sizeOf(shape) === size);

export interface Sliding {
  readonly padding: "same" | "valid";
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** [height, width] */
  readonly window: readonly number[];
}

/** Checks what slides a window over [1, height, width, channels]. @throws NoPlan */
export function mustSlide(operator: Operator, input: readonly number[], output: readonly number[], how: Sliding): void {
  mustFit(operator, input.length === 4 && output.length === 4 && input[0] === 1 && output[0] === 1);
  for (const axis of [0, 1]) {
    const [length, stride] = [input[1 + axis], how.stride[axis]];
    mustFit(operator, how.window[axis] >= 1 && how.dilation[axis] >= 1 && stride >= 1);
    const reach = (how.window[axis] - 1) * how.dilation[axis] + 1;
    const places = how.padding === "same" ? length : length - reach + 1;
    mustFit(operator, output[1 + axis] === Math.ceil(places / stride));
  }
}
