/** Strassen's multiplication in fast plans: the same bits as the plain product, for any number of remaining rows. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { makePlan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import type { Activation, Graph, Operator, Tensor } from "../../../worker/tflite/graph.ts";
import { Random } from "./random-graph.ts";

beforeAll(initBackend);

const SEEDS = Array.from({ length: 24 }, (_, i) => i + 1);

interface Layer {
  readonly weights: Float32Array;
  readonly outChannels: number;
  readonly activation: Activation;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** Pointwise convolutions, one after the other; between two of them with a ReLU6 there are integers. */
function network([height, width]: readonly [number, number], reduction: number, layers: readonly Layer[]): Graph {
  const tensors: Tensor[] = [];
  const add = (shape: readonly number[], data?: Uint8Array): number => {
    const index = tensors.length;
    tensors.push({ index, name: `t${index}`, shape, open: [], type: "float32", quantization: undefined, data });
    return index;
  };
  const input = add([1, height, width, reduction]);
  let [from, channels] = [input, reduction];
  const operators = layers.map(({ weights, outChannels, activation }, index): Operator => {
    const bias = Float32Array.from({ length: outChannels }, (_, i) => (i % 7) / 3 - 1);
    const constants = [add([outChannels, 1, 1, channels], bytesOf(weights)), add([outChannels], bytesOf(bias))];
    const output = add([1, height, width, outChannels]);
    const inputs = [from, ...constants];
    [from, channels] = [output, outChannels];
    const options = { padding: "same", stride: [1, 1], dilation: [1, 1], activation } as const;
    return { index, op: "CONV_2D", inputs, outputs: [output], options };
  });
  return { tensors, operators, inputs: [input], outputs: [from], metadata: new Map() };
}

function run(graph: Graph, options: PlanOptions, values: Float32Array) {
  const plan = makePlan(graph, options);
  try {
    const [output] = plan.run([{ values, shape: graph.tensors[graph.inputs[0]].shape }]);
    return { kernels: plan.kernels, output };
  } finally {
    plan.dispose();
  }
}

/** Weights of about one size: then what bounds them is their sum, with Strassen's multiplication and without. */
const even = (random: Random, count: number, scale: number) =>
  Float32Array.from({ length: count }, () => (random.next() < 0.5 ? -scale : scale) * (0.5 + 0.5 * random.next()));

/** At least a unit of 16 rows, and often some that are left over. */
function draw(random: Random) {
  const width = random.int(4, 40);
  const height = random.int(Math.ceil(16 / width), 11);
  return { size: [height, width] as const, reduction: 32 * random.int(4, 9), outChannels: 32 * random.int(1, 3) };
}

describe("Strassen's multiplication gives the bits of the plain product", () => {
  it.each(SEEDS)("of floats, each row of a scale of its own, seed %i", (seed) => {
    const random = new Random(seed);
    const { size, reduction, outChannels } = draw(random);
    const activation = random.pick(["NONE", "RELU", "RELU6"] as const);
    const graph = network(size, reduction, [
      { weights: even(random, reduction * outChannels, 1), outChannels, activation },
    ]);
    const input = random.floats(size[0] * size[1] * reduction).map((value, i) => value * (1 + (i % 5)));
    const plain = run(graph, { precision: "fast", strassen: "never" }, input);
    const quick = run(graph, { precision: "fast", strassen: "always" }, input);
    expect([plain.kernels, quick.kernels]).toEqual([["qd16_f32_gemm_4x8c2_dot16x2"], ["qd16_f32_gemm_4x8c2_strassen"]]);
    expect(new Set(plain.output).size).toBeGreaterThan(16);
    expect(quick.output).toEqual(plain.output);
  });

  it.each(SEEDS)("of int16 to int16 and to floats, seed %i", (seed) => {
    const random = new Random(100 + seed);
    const { size, reduction, outChannels } = draw(random);
    const layers: Layer[] = [
      { weights: even(random, 8 * reduction, 1), outChannels: reduction, activation: "RELU6" },
      { weights: even(random, reduction * outChannels, 0.2), outChannels, activation: "RELU6" },
      { weights: even(random, outChannels * 32, 1), outChannels: 32, activation: "NONE" },
    ];
    const input = random.floats(size[0] * size[1] * 8).map((value) => value * 4);
    for (const count of [2, 3]) {
      const graph = network(size, 8, layers.slice(0, count));
      const plain = run(graph, { precision: "fast", strassen: "never" }, input);
      const quick = run(graph, { precision: "fast", strassen: "always" }, input);
      expect(quick.kernels.slice(0, 2)).toEqual(["qd16_f32_gemm_4x8c2_dot16x2", "qd16_f32_gemm_4x8c2_strassen"]);
      expect(new Set(plain.output).size).toBeGreaterThan(16);
      // A third layer of few output channels has weights that their size bounds, and the limit is another with Strassen's.
      if (count === 2) expect(quick.output).toEqual(plain.output);
      else
        for (const [i, value] of plain.output.entries()) expect(Math.abs(quick.output[i] - value)).toBeLessThan(0.05);
    }
  });
});

describe("Strassen's multiplication", () => {
  it("does not overflow where all that it adds up is as large as can be", () => {
    const [reduction, outChannels] = [128, 64];
    // The same place of each block is all that there is: sums of four weights are four times the largest.
    for (const sign of [1, -1]) {
      const weights = Float32Array.from({ length: reduction * outChannels }, (_, i) => (i % 32 === 5 ? sign : 0));
      const layers: Layer[] = [
        { weights: new Float32Array(8 * reduction).fill(2), outChannels: reduction, activation: "RELU6" },
        { weights, outChannels, activation: "NONE" },
      ];
      const graph = network([4, 5], 8, layers);
      const input = new Float32Array(4 * 5 * 8).fill(1);
      const { kernels, output } = run(graph, { precision: "fast", strassen: "always" }, input);
      const exact = run(graph, { precision: "exact" }, input);
      expect(kernels).toContain("qd16_f32_gemm_4x8c2_strassen");
      expect(Math.abs(exact.output[0])).toBeGreaterThan(20);
      for (const [i, value] of exact.output.entries()) expect(Math.abs(output[i] - value)).toBeLessThan(0.01);
    }
  });

  it("is used for large products alone, and left where blocks would not be whole", () => {
    const kernelOf = (
      size: readonly [number, number],
      reduction: number,
      outChannels: number,
      strassen: "always" | "pays",
    ) => {
      const layer: Layer = { weights: new Float32Array(reduction * outChannels), outChannels, activation: "NONE" };
      const plan = makePlan(network(size, reduction, [layer]), { precision: "fast", strassen });
      const [kernel] = plan.kernels;
      plan.dispose();
      return kernel;
    };
    expect(kernelOf([14, 14], 512, 512, "pays")).toBe("qd16_f32_gemm_4x8c2_strassen");
    expect(kernelOf([7, 7], 512, 512, "pays")).toBe("qd16_f32_gemm_4x8c2_dot16x2");
    expect(kernelOf([14, 14], 128, 256, "pays")).toBe("qd16_f32_gemm_4x8c2_dot16x2");
    expect(kernelOf([3, 5], 64, 64, "always")).toBe("qd16_f32_gemm_4x8c2_dot16x2");
    expect(kernelOf([4, 4], 48, 64, "always")).toBe("qd16_f32_gemm_4x8c2_dot16x2");
    expect(kernelOf([4, 4], 64, 48, "always")).toBe("qd16_f32_gemm_4x8c2_dot16x2");
    expect(kernelOf([4, 4], 64, 64, "always")).toBe("qd16_f32_gemm_4x8c2_strassen");
  });
});
