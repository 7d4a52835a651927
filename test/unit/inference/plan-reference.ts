/** Graphs of one operator with random contents, and the plainest loops that compute them: for the tests of kernels. */
import { makePlan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import type { Activation, Graph, Operator, Quantization, Tensor } from "../../../worker/tflite/graph.ts";

/** Mulberry32: numbers in 0..1 that a seed determines. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)];
  }
  floats(length: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => 2 * this.next() - 1);
  }
}

export const size = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

const bytesOf = (values: Float32Array | Int32Array | Uint8Array | Int8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const TYPES = [
  [Float32Array, "float32"],
  [Int32Array, "int32"],
  [Uint8Array, "uint8"],
  [Int8Array, "int8"],
] as const;

export interface Contents {
  readonly shape: readonly number[];
  readonly type?: Tensor["type"];
  readonly quantization?: Quantization | undefined;
  readonly data?: Float32Array | Int32Array | Uint8Array | Int8Array | undefined;
}

/** A graph of one operator: the tensors without data but the last are its inputs, the last is its output. */
export function graphOf(contents: readonly Contents[], operator: Pick<Operator, "op" | "options">): Graph {
  const tensors = contents.map(({ shape, type, quantization, data }, index): Tensor => {
    const own = TYPES.find(([array]) => data instanceof array)?.[1];
    return {
      index,
      name: `t${index}`,
      shape,
      open: [],
      type: type ?? own ?? "float32",
      quantization,
      data: data && bytesOf(data),
    };
  });
  const last = tensors.length - 1;
  const given = tensors.slice(0, last);
  return {
    tensors,
    operators: [{ index: 0, inputs: given.map(({ index }) => index), outputs: [last], ...operator }],
    inputs: given.filter(({ data }) => data === undefined).map(({ index }) => index),
    outputs: [last],
    metadata: new Map(),
  };
}

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

export interface Shape2d {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: "same" | "valid";
  /** Filters: of a convolution all of them, of a depthwise one those for each channel. */
  readonly filters: number;
}

/** Output height and width, and the padding above and to the left. */
export function outer({ height, width, kernel, stride, dilation, padding }: Shape2d) {
  const along = (length: number, axis: 0 | 1): [number, number] => {
    const reach = (kernel[axis] - 1) * dilation[axis] + 1;
    if (padding === "valid") return [Math.ceil((length - reach + 1) / stride[axis]), 0];
    const out = Math.ceil(length / stride[axis]);
    return [out, Math.floor(Math.max(0, (out - 1) * stride[axis] + reach - length) / 2)];
  };
  const [y, top] = along(height, 0);
  const [x, left] = along(width, 1);
  return { y, x, top, left };
}

export function randomShape(random: Random, largestKernel = 5): Shape2d {
  for (;;) {
    const kernel: [number, number] = random.pick([
      [1, 1],
      [3, 3],
      [3, 3],
      [5, 5],
      [2, 2],
      [1, 3],
      [4, 2],
    ]);
    const dilation: [number, number] = random.pick([
      [1, 1],
      [1, 1],
      [2, 2],
      [1, 2],
    ]);
    const strides: [number, number][] = [
      [1, 1],
      [2, 2],
      [2, 1],
      [1, 3],
    ];
    const shape: Shape2d = {
      height: random.int(1, 13),
      width: random.int(1, 13),
      channels: random.int(1, 35),
      kernel,
      dilation,
      stride: dilation.every((d) => d === 1) ? random.pick(strides) : [1, 1],
      padding: random.pick(["same", "valid"]),
      filters: random.int(1, 21),
    };
    const { y, x } = outer(shape);
    if (y > 0 && x > 0 && Math.max(...kernel) <= largestKernel) return shape;
  }
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
