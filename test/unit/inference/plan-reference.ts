/** The plainest loops that compute operators: the reference of the tests of kernels. */
import { makePlan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import type { Activation, Graph, Quantization } from "../../../worker/tflite/graph.ts";
import { outer, type Random, type Shape2d } from "./random-graph.ts";

/** The first output of a graph. */
export function runPlan(graph: Graph, options: PlanOptions, ...inputs: Float32Array[]): Float32Array {
  const plan = makePlan(graph, options);
  try {
    const shapes = graph.inputs.map((index) => graph.tensors[index].shape);
    return plan.run(inputs.map((values, i) => ({ values, shape: shapes[i] })))[0];
  } finally {
    plan.dispose();
  }
}

/** MultiplyByQuantizedMultiplier, word for word from gemmlowp. `up`: halves of the second rounding go up. */
export function multiplyByQuantizedMultiplier(x: number, real: number, up: boolean): number {
  let exponent = 0;
  let fraction = real;
  while (fraction >= 1) {
    fraction /= 2;
    exponent++;
  }
  while (fraction < 0.5) {
    fraction *= 2;
    exponent--;
  }
  let multiplier = BigInt(Math.round(fraction * 2 ** 31));
  if (multiplier === 2n ** 31n) {
    multiplier /= 2n;
    exponent++;
  }
  const product = BigInt(x) * 2n ** BigInt(Math.max(0, exponent)) * multiplier;
  const nudge = product >= 0n ? 2n ** 30n : 1n - 2n ** 30n;
  const high = Number((product + nudge) / 2n ** 31n);
  const right = Math.max(0, -exponent);
  const scaled = high / 2 ** right;
  if (right === 0) return high;
  return up || scaled >= 0 ? Math.floor(scaled + 0.5) : -Math.floor(0.5 - scaled);
}

/** The mean of bytes whose sum less zero points is given, at one scale: Mean of reference/reduce.h, word for word. */
export function meanOfBytes(sum: number, count: number): number {
  let [multiplier, shift] = [2n ** 30n, 1]; // QuantizeMultiplier(1)
  const bits = Math.min(31 - Math.clz32(count), 32, 31 + shift);
  multiplier = (multiplier << BigInt(bits)) / BigInt(count);
  shift -= bits;
  const product = BigInt(sum) * 2n ** BigInt(Math.max(0, shift)) * multiplier;
  const high = Number((product + (product >= 0n ? 2n ** 30n : 1n - 2n ** 30n)) / 2n ** 31n);
  const scaled = high / 2 ** Math.max(0, -shift);
  return shift >= 0 ? high : Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
}

/**
 * Sums of products, in the plainest way.
 *
 * @param depthwise Whether weights are [kernel height, kernel width, channels · filters] instead of [filters, kernel
 *   height, kernel width, channels].
 * @returns For each output value its channel, its sum, and the sum of the products' magnitudes.
 */
export function* sums(shape: Shape2d, depthwise: boolean, input: ArrayLike<number>, weights: ArrayLike<number>) {
  const { height, width, channels, kernel, stride, dilation, filters } = shape;
  const { y: outY, x: outX, top, left } = outer(shape);
  const outChannels = depthwise ? channels * filters : filters;
  for (let y = 0; y < outY; y++) {
    for (let x = 0; x < outX; x++) {
      for (let channel = 0; channel < outChannels; channel++) {
        let [sum, magnitude] = [0, 0];
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const iy = y * stride[0] - top + ky * dilation[0];
            const ix = x * stride[1] - left + kx * dilation[1];
            if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
            for (let c = 0; c < channels; c++) {
              if (depthwise && c !== Math.floor(channel / filters)) continue;
              const tap = ky * kernel[1] + kx;
              const weight = depthwise
                ? weights[tap * outChannels + channel]
                : weights[(channel * kernel[0] * kernel[1] + tap) * channels + c];
              const product = input[(iy * width + ix) * channels + c] * weight;
              sum += product;
              magnitude += Math.abs(product);
            }
          }
        }
        yield { channel, sum, magnitude };
      }
    }
  }
}

const CLAMPS: { readonly [name in Activation]?: readonly [number, number] } = {
  RELU: [0, Number.POSITIVE_INFINITY],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

export const clamp = (value: number, activation: Activation): number => {
  const [low, high] = CLAMPS[activation] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return Math.min(high, Math.max(low, value));
};

/** A quantised value less its zero point, clamped to the activation and to the type. */
export function clampQuantized(value: number, activation: Activation, output: Quantization, signed: boolean): number {
  const [scale, zero] = [output.scale[0], output.zeroPoint[0]];
  const low = Math.max(signed ? -128 - zero : -zero, Math.round(clamp(Number.NEGATIVE_INFINITY, activation) / scale));
  const high = Math.min(
    signed ? 127 - zero : 255 - zero,
    Math.round(clamp(Number.POSITIVE_INFINITY, activation) / scale),
  );
  return Math.min(high, Math.max(low, value));
}

/** A reduction of an image over neighbouring axes: `kept` is its shape with ones where they were, `outer` the output's. */
export function drawReduction(random: Random) {
  const shape = [1, random.int(1, 6), random.int(1, 6), random.int(1, 19)];
  const axes = random.pick([[1, 2], [2, 1], [-1], [1], [2], [1, 2, 3], [-2, -1]]);
  const keepDims = random.next() < 0.5;
  const gone = axes.map((axis) => (axis + 4) % 4);
  const kept = shape.map((dim, axis) => (gone.includes(axis) ? 1 : dim));
  const outer = keepDims ? kept : shape.filter((_, axis) => !gone.includes(axis));
  return { shape, axes, keepDims, gone, kept, outer };
}
