/** Functions of one value that several operators make, such as x · logistic(x): one step where nothing else is read. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { makePlan } from "../../../worker/inference/plan/plan.ts";
import type { Graph, Operator, Quantization, Tensor } from "../../../worker/tflite/graph.ts";
import { fixture } from "../files.ts";
import { multiplyByQuantizedMultiplier, runPlan } from "./plan-reference.ts";
import { graphOf, Random } from "./random-graph.ts";

beforeAll(initBackend);

function kernelsOf(graph: Graph): readonly string[] {
  const plan = makePlan(graph, { precision: "exact" });
  plan.dispose();
  return plan.kernels;
}

describe("steps", () => {
  it.each([
    ["swish-f32", ["f32_vunary"]],
    ["swish-gate-first-f32", ["f32_vunary"]],
    ["swish-relu6-f32", ["f32_vunary", "f32_vbinary"]],
    ["gate-squared-f32", ["f32_vunary", "f32_vbinary"]],
    ["swish-i8", ["x8_lut"]],
    ["swish-gate-first-u8", ["x8_lut"]],
    ["swish-relu6-i8", ["x8_lut"]],
    ["gate-tanh-i8", ["x8_lut"]],
    ["gate-from-one-u8", ["x8_lut"]],
    ["swish-and-gate-i8", ["x8_lut"]],
    ["swish-and-gate-f32", ["f32_vunary", "f32_vunary", "f32_vbinary"]],
    ["hard-swish-written-out-i8", ["x8_lut"]],
  ])("of %s: %s", async (file, kernels) => {
    expect(kernelsOf(readGraph(await fixture(`ops/${file}.tflite`)))).toEqual(kernels);
  });
});

it("x · logistic(x) of floats of all magnitudes, to 1e-6 of them", () => {
  const random = new Random(1);
  const shape = [1, 1001];
  const tensors = [0, 1, 2].map((index): Tensor => {
    return { index, name: "", shape, open: [], type: "float32", quantization: undefined, data: undefined };
  });
  const operators: Operator[] = [
    { index: 0, op: "LOGISTIC", inputs: [0], outputs: [1], options: undefined },
    { index: 1, op: "MUL", inputs: [0, 1], outputs: [2], options: { activation: "NONE" } },
  ];
  const graph: Graph = { tensors, operators, inputs: [0], outputs: [2], metadata: new Map() };
  expect(kernelsOf(graph)).toEqual(["f32_vunary"]);
  const input = random.floats(1001).map((sign) => Math.sign(sign) * Math.min(80, 10 ** (6 * random.next() - 4)));
  const output = runPlan(graph, { precision: "exact" }, input);
  for (const [i, x] of input.entries()) {
    const expected = x / (1 + Math.exp(-x));
    expect(Math.abs(output[i] - expected)).toBeLessThanOrEqual(1e-6 * Math.abs(expected) + 1e-30);
  }
});

it("a table is looked up for any number of bytes", () => {
  const random = new Random(2);
  const [from, to] = [
    { scale: [Math.fround(0.05)], zeroPoint: [117], axis: 0 },
    { scale: [Math.fround(0.03)], zeroPoint: [31], axis: 0 },
  ];
  for (let length = 1; length < 200; length += 7) {
    const shape = [1, length];
    const type = "uint8" as const;
    const contents = [from, to].map((quantization) => ({ shape, type, quantization }));
    const input = Float32Array.from({ length }, () => random.int(0, 255) - 117);
    const output = runPlan(graphOf(contents, { op: "RELU", options: undefined }), { precision: "exact" }, input);
    const ratio = Math.fround(from.scale[0] / to.scale[0]);
    const expected = input.map((x) => Math.min(224, Math.max(0, multiplyByQuantizedMultiplier(x, ratio, false))) + 0);
    expect(output).toEqual(expected);
  }
});

describe("chains of functions of bytes", () => {
  const ALL = 256;

  /** Operators one after the other, each on any tensors before it. */
  function randomChain(random: Random, type: "uint8" | "int8"): Graph {
    const tensors: Tensor[] = [];
    const add = (shape: readonly number[], data?: Uint8Array): number => {
      const low = type === "int8" ? -128 : 0;
      const quantization: Quantization = {
        scale: [Math.fround(0.01 + 0.05 * random.next())],
        zeroPoint: [low + random.int(90, 166)],
        axis: 0,
      };
      return tensors.push({ index: tensors.length, name: "", shape, open: [], type, quantization, data }) - 1;
    };
    const shape = [1, ALL];
    const made = [add(shape)];
    const operators = Array.from({ length: 7 }, (_, index): Operator => {
      const op = random.pick(["LOGISTIC", "TANH", "RELU6", "QUANTIZE", "ADD", "SUB", "MUL", "ADD", "MUL"]);
      // Mostly the last tensor, so that chains are long.
      const pick = () => (random.next() < 0.6 ? made[made.length - 1] : random.pick(made));
      const one = () => (random.next() < 0.4 ? add([1], Uint8Array.of(random.int(0, 255))) : pick());
      const pair = () => (random.next() < 0.2 ? [one(), pick()] : [pick(), one()]);
      const isBinary = ["ADD", "SUB", "MUL"].includes(op);
      const inputs = isBinary ? pair() : [pick()];
      const output = add(shape);
      made.push(output);
      return { index, op, inputs, outputs: [output], options: isBinary ? { activation: "NONE" } : undefined };
    });
    const outputs = [made[made.length - 1], ...(random.next() < 0.3 ? [random.pick(made.slice(1, -1))] : [])];
    return { tensors, operators, inputs: [0], outputs: [...new Set(outputs)], metadata: new Map() };
  }

  /** The values of all tensors, each operator as a graph of its own. */
  function oneByOne(graph: Graph, input: Float32Array): ReadonlyMap<number, Float32Array> {
    const values = new Map([[0, input]]);
    for (const operator of graph.operators) {
      // Two operands that are one tensor are two here, lest one be found to be a function of the other.
      const used = [...operator.inputs, ...operator.outputs].map((index) => graph.tensors[index]);
      const alone = {
        ...graph,
        tensors: used.map((tensor, index) => ({ ...tensor, index })),
        operators: [{ ...operator, inputs: operator.inputs.map((_, i) => i), outputs: [operator.inputs.length] }],
        inputs: used.flatMap(({ data }, i) => (data === undefined && i < operator.inputs.length ? [i] : [])),
        outputs: [operator.inputs.length],
      };
      const given = alone.inputs.map((i) => values.get(operator.inputs[i]) ?? new Float32Array());
      values.set(operator.outputs[0], runPlan(alone, { precision: "exact" }, ...given));
    }
    return values;
  }

  let steps = 0;
  it.each(Array.from({ length: 60 }, (_, i) => i + 1))("are what their operators are one by one, seed %i", (seed) => {
    const random = new Random(seed);
    const type = seed % 2 ? "int8" : "uint8";
    const graph = randomChain(random, type);
    const zero = graph.tensors[0].quantization?.zeroPoint[0] ?? 0;
    const low = type === "int8" ? -128 : 0;
    const input = Float32Array.from({ length: ALL }, (_, i) => low + i - zero);
    const expected = oneByOne(graph, input);
    const plan = makePlan(graph, { precision: "exact" });
    const outputs = plan.run([{ values: input, shape: [1, ALL] }]);
    steps += plan.kernels.length;
    plan.dispose();
    for (const [i, output] of graph.outputs.entries()) expect(outputs[i]).toEqual(expected.get(output));
  });

  it("take fewer steps than operators", () => expect(steps).toBeLessThan(60 * 4));
});
