/**
 * A custom kernel on tfjs' wasm backend: scales the integer sums of a quantised operator to the output's scale, rounds
 * as TensorFlow Lite does, and clamps to the range of the output's type.
 */
import type { NamedAttrMap, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { fixedPoint } from "./fixed-point.ts";
import { engine, registerKernel } from "./tfjs.bundle.js";

const NAME = "Requantize";

export interface Requantization {
  /** The multipliers: one for each channel of the last dimension, or one for all. */
  readonly multipliers: readonly number[];
  /**
   * How TensorFlow Lite's reference kernels multiply: "fixed" is MultiplyByQuantizedMultiplier, which rounds twice and
   * so differs from the exact result about once in a hundred times; "once" rounds once.
   */
  readonly rounding: "fixed" | "once";
  /** The smallest and the largest output, less the zero point. */
  readonly low: number;
  readonly high: number;
}

/** The part of tfjs' wasm backend that the kernel uses. */
export interface Heap {
  makeOutput(shape: number[], dtype: "float32"): TfTensor;
  typedArrayFromHeap(tensor: TfTensor): Float32Array;
}

/** Rounds halves away from zero, as C does; Math.round rounds them up. */
const roundAway = (value: number): number => (value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5));

/**
 * Splits a multiplier into two factors; the product is rounded after each.
 *
 * @returns `first`: a fraction of 31 bits in 0.5..1, times a power of two if the multiplier is above 1; `second`: a
 *   power of two, at most 1.
 */
function factorsOf(real: number, rounding: Requantization["rounding"]): { first: number; second: number } {
  if (rounding === "once") return { first: real, second: 1 };
  const { multiplier, shift } = fixedPoint(real);
  return { first: multiplier * 2 ** (Math.max(0, -shift) - 31), second: 2 ** -Math.max(0, shift) };
}

registerKernel({
  kernelName: NAME,
  backendName: "wasm",
  kernelFunc({ inputs, attrs, backend }) {
    const { x } = inputs as { x: TfTensor };
    const { how } = attrs as unknown as { how: Requantization };
    const { multipliers, rounding, low, high } = how;
    const heap = backend as Heap;
    const output = heap.makeOutput(x.shape, "float32");
    // Both views are made after the allocation, which may have moved the heap.
    const [from, to] = [heap.typedArrayFromHeap(x), heap.typedArrayFromHeap(output)];
    const factors = multipliers.map((multiplier) => factorsOf(multiplier, rounding));
    const first = Float64Array.from(factors, (factor) => factor.first);
    const second = Float64Array.from(factors, (factor) => factor.second);
    for (let i = 0, channel = 0; i < from.length; i++) {
      // The first rounding rounds halves up, the second away from zero.
      const product = rounding === "fixed" ? Math.round(from[i] * first[channel]) : from[i] * first[channel];
      const rounded = roundAway(product * second[channel]);
      // NaN, such as the root of a negative number, becomes the lowest value: the output needs a number.
      to[i] = Number.isNaN(rounded) ? low : Math.min(high, Math.max(low, rounded));
      if (++channel === first.length) channel = 0;
    }
    return output;
  },
});

/** Converts an operator's output less the zero point to values of the output's type less its zero point. */
export const requantize = (x: TfTensor, how: Requantization): TfTensor =>
  engine().runKernel(NAME, { x }, { how: how as unknown as NamedAttrMap }) as TfTensor;
