/** Graphs of one convolution with random shape and contents. */
import type { Graph, Tensor } from "../../../worker/tflite/graph.ts";

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
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0];
  }
  floats(length: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => 4 * this.next() - 2);
  }
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.int(0, 255));
  }
}

const size = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** Output pixels along a dimension; 0 or fewer if the window does not fit. */
function outer(length: number, kernel: number, stride: number, dilation: number, padding: "same" | "valid"): number {
  return padding === "same" ? Math.ceil(length / stride) : Math.ceil((length - (kernel - 1) * dilation) / stride);
}

export function randomConvolution(random: Random): { name: string; graph: Graph } {
  for (;;) {
    const [height, width, channels] = [random.int(1, 13), random.int(1, 13), random.int(1, 40)];
    const kernel = random.pick([
      [1, 1],
      [1, 1],
      [3, 3],
      [3, 3],
      [5, 5],
      [2, 2],
      [1, 3],
      [4, 2],
      [3, 7],
    ]);
    const dilation = random.pick([
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 2],
      [2, 1],
    ]);
    const stride = dilation.some((d) => d > 1)
      ? [1, 1]
      : random.pick([
          [1, 1],
          [2, 2],
          [2, 1],
          [1, 3],
        ]);
    const padding = random.pick(["same", "valid"] as const);
    const [ky = 1, kx = 1] = kernel;
    const [dy = 1, dx = 1] = dilation;
    const [sy = 1, sx = 1] = stride;
    const [y, x] = [outer(height, ky, sy, dy, padding), outer(width, kx, sx, dx, padding)];
    if (y < 1 || x < 1) continue;
    const [depthwise, quantised] = [random.next() < 0.4, random.next() < 0.6];
    const filters = depthwise ? channels * random.pick([1, 1, 2]) : random.int(1, 40);
    const weightShape = depthwise ? [1, ky, kx, filters] : [filters, ky, kx, channels];
    const count = size(weightShape);
    // Mostly near the zero point, as in networks; some far from it, which do not fit the sums of pairs.
    const near = () => (random.next() < 0.05 ? random.int(0, 255) : random.int(100, 156));
    const weights = quantised ? Uint8Array.from({ length: count }, near) : random.floats(count);
    const bias = quantised ? Int32Array.from({ length: filters }, () => random.int(-999, 999)) : random.floats(filters);
    const tensor = (index: number, shape: readonly number[], type: Tensor["type"], data?: ArrayBufferView): Tensor => ({
      index,
      name: `t${index}`,
      shape,
      open: [],
      type,
      quantization:
        type === "uint8" ? { scale: [[0.02, 0.01, 0, 0.5][index] ?? 1], zeroPoint: [128], axis: 0 } : undefined,
      data: data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
    const type = quantised ? "uint8" : "float32";
    const graph: Graph = {
      tensors: [
        tensor(0, [1, height, width, channels], type),
        tensor(1, weightShape, type, weights),
        tensor(2, [filters], quantised ? "int32" : "float32", bias),
        tensor(3, [1, y, x, filters], type),
      ],
      operators: [
        {
          index: 0,
          op: depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D",
          inputs: [0, 1, 2],
          outputs: [3],
          options: {
            padding,
            stride: [sy, sx],
            dilation: [dy, dx],
            activation: random.pick(["NONE", "RELU6"] as const),
          },
        },
      ],
      inputs: [0],
      outputs: [3],
      metadata: new Map(),
    };
    const window = `${ky}×${kx}, stride ${sy}×${sx}, dilation ${dy}×${dx}, ${padding}`;
    return {
      name: `${type} ${depthwise ? "depthwise " : ""}${height}×${width}×${channels} → ${filters}, ${window}`,
      graph,
    };
  }
}
