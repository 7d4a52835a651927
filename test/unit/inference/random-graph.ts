/** Graphs of one operator with random shapes and contents, which need no kernels: for tests in workerd and in Node. */
import { mulberry32 } from "../../../scripts/measure/mulberry32.ts";
import type { Graph, Operator, Quantization, Tensor } from "../../../worker/tflite/graph.ts";

/** Random numbers that a seed determines. */
export class Random {
  readonly #next: () => number;
  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }
  /** A number from 0 up to, but excluding, 1. */
  next(): number {
    return this.#next() / 2 ** 32;
  }
  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)];
  }
  floats(length: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => 2 * this.next() - 1);
  }
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.int(0, 255));
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
export function outer({ height, width, kernel, stride, dilation, padding }: Omit<Shape2d, "channels" | "filters">) {
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
