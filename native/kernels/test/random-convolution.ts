/** Graphs of one convolution with random shape and contents. */
import { graphOf, outer, type Random, size } from "../../../test/unit/inference/random-graph.ts";
import type { Graph } from "../../../worker/tflite/graph.ts";

type Pair = readonly [number, number];

export function randomConvolution(random: Random): { name: string; graph: Graph } {
  for (;;) {
    const [height, width, channels] = [random.int(1, 13), random.int(1, 13), random.int(1, 40)];
    const kernel: Pair = random.pick<Pair>([
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
    const dilation: Pair = random.pick<Pair>([
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 2],
      [2, 1],
    ]);
    const stride: Pair = dilation.some((d) => d > 1)
      ? [1, 1]
      : random.pick<Pair>([
          [1, 1],
          [2, 2],
          [2, 1],
          [1, 3],
        ]);
    const padding = random.pick(["same", "valid"] as const);
    const [[ky, kx], [dy, dx], [sy, sx]] = [kernel, dilation, stride];
    const { y, x } = outer({ height, width, kernel, stride, dilation, padding });
    if (y < 1 || x < 1) continue;
    const [depthwise, quantised] = [random.next() < 0.4, random.next() < 0.6];
    const filters = depthwise ? channels * random.pick([1, 1, 2]) : random.int(1, 40);
    const weightShape = depthwise ? [1, ky, kx, filters] : [filters, ky, kx, channels];
    const count = size(weightShape);
    // Mostly near the zero point, as in networks; some far from it, which do not fit the sums of pairs.
    const near = () => (random.next() < 0.05 ? random.int(0, 255) : random.int(100, 156));
    const weights = quantised ? Uint8Array.from({ length: count }, near) : random.floats(count);
    const bias = quantised ? Int32Array.from({ length: filters }, () => random.int(-999, 999)) : random.floats(filters);
    const quantization = (scale: number) => (quantised ? { scale: [scale], zeroPoint: [128], axis: 0 } : undefined);
    const type = quantised ? "uint8" : "float32";
    const graph = graphOf(
      [
        { shape: [1, height, width, channels], type, quantization: quantization(0.02) },
        { shape: weightShape, quantization: quantization(0.01), data: weights },
        { shape: [filters], data: bias },
        { shape: [1, y, x, filters], type, quantization: quantization(0.5) },
      ],
      {
        op: depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D",
        options: { padding, stride, dilation, activation: random.pick(["NONE", "RELU6"] as const) },
      },
    );
    const window = `${ky}×${kx}, stride ${sy}×${sx}, dilation ${dy}×${dx}, ${padding}`;
    return {
      name: `${type} ${depthwise ? "depthwise " : ""}${height}×${width}×${channels} → ${filters}, ${window}`,
      graph,
    };
  }
}
