/**
 * A kernel of our own on tfjs' wasm backend: scales the integer sums of a quantised operator to the output's scale,
 * rounds as TensorFlow Lite rounds, and clamps to what the output's type can hold.
 */
import type { NamedAttrMap, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { fixedPoint } from "./fixed-point.ts";
import { engine, registerKernel } from "./tfjs.bundle.js";

const NAME = "Requantize";

export interface Requantization {
  /** What the values are multiplied by; for each channel of the last dimension, or once for all. */
  readonly multipliers: readonly number[];
  /**
   * How TensorFlow Lite's reference kernels multiply: "fixed" is MultiplyByQuantizedMultiplier, which rounds twice and so
   * differs from the right result once in some hundred times; "once" rounds once.
   */
  readonly rounding: "fixed" | "once";
  /** The smallest and the largest output, less the zero point. */
  readonly low: number;
  readonly high: number;
}

/** The part of tfjs' wasm backend that a kernel needs. */
export interface Heap {
  makeOutput(shape: number[], dtype: "float32"): TfTensor;
  typedArrayFromHeap(tensor: TfTensor): Float32Array;
}

/** Halves go away from zero, as in C; Math.round lets them go up. */
const roundAway = (value: number): number => (value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5));

/**
 * A multiplier in two factors: after each the product is rounded.
 *
 * @returns `first`: a fraction of 31 bits in 0.5..1, times a power of two where the multiplier is above 1; `second`: a
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
    // Both views after the allocation, which may have moved the heap.
    const [from, to] = [heap.typedArrayFromHeap(x), heap.typedArrayFromHeap(output)];
    const factors = multipliers.map((multiplier) => factorsOf(multiplier, rounding));
    const first = Float64Array.from(factors, (factor) => factor.first);
    const second = Float64Array.from(factors, (factor) => factor.second);
    for (let i = 0, channel = 0; i < from.length; i++) {
      // The first of the two roundings is up at halves, the second away from zero.
      const product = rounding === "fixed" ? Math.round(from[i] * first[channel]) : from[i] * first[channel];
      const rounded = roundAway(product * second[channel]);
      // What is not a number, such as the root of a negative one, becomes the least value: a byte has to be a number.
      to[i] = Number.isNaN(rounded) ? low : Math.min(high, Math.max(low, rounded));
      if (++channel === first.length) channel = 0;
    }
    return output;
  },
});

/** Values less the zero point, as they come out of an operator → values less the zero point of the output's type. */
export const requantize = (x: TfTensor, how: Requantization): TfTensor =>
  engine().runKernel(NAME, { x }, { how: how as unknown as NamedAttrMap }) as TfTensor;
