/** Class activation maps compared with plain loops over the results of the op-by-op executor. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend, wasmHeap } from "../../../worker/inference/backend.ts";
import { classActivation, NoActivation } from "../../../worker/inference/class-activation.ts";
import { realValues } from "../../../worker/inference/constants.ts";
import { Executor } from "../../../worker/inference/executor.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { countOverflow } from "../../../worker/inference/plan/count-overflow.ts";
import { exactDot, loadKernels } from "../../../worker/inference/plan/kernels.ts";
import { findHead } from "../../../worker/inference/plan/lower/head.ts";
import { packF32Gemm, packQd16Gemm } from "../../../worker/inference/plan/pack/f32.ts";
import { packQu8GemmDot16x2, packQu8GemmUsdot, packQu8GemmUsdot2 } from "../../../worker/inference/plan/pack/uint8.ts";
import { READ_CHANNEL } from "../../../worker/inference/plan/pack/unpack.ts";
import { makePlan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import { align } from "../../../worker/inference/plan/step.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import type { Graph } from "../../../worker/tflite/graph.ts";
import { fixture, hasReference, modelFile, reference } from "../files.ts";
import { Random, size } from "./random-graph.ts";

beforeAll(initBackend);

/** An input of whole numbers in −100..100 for quantised graphs, of −1..1 for float ones. */
function inputOf(graph: Graph, seed: number) {
  const tensor = graph.tensors[graph.inputs[0]];
  const random = new Random(seed);
  const zero = tensor.quantization?.zeroPoint[0] ?? 0;
  const low = tensor.type === "int8" ? -128 : 0;
  const values = random
    .floats(size(tensor.shape))
    .map((value) => (tensor.type === "float32" ? value : Math.round((value + 1) * 127) + low - zero));
  return [{ values, shape: tensor.shape }];
}

/** The features that the executor computes, as real numbers. */
function featuresOf(graph: Graph, index: number, inputs: ReturnType<typeof inputOf>): Float32Array {
  const last = graph.operators.findIndex(({ outputs }) => outputs[0] === index);
  const executor = new Executor({ ...graph, operators: graph.operators.slice(0, last + 1), outputs: [index] });
  const [features] = executor.run(inputs);
  executor.dispose();
  const { type, quantization } = graph.tensors[index];
  return type === "float32" ? features : features.map((value) => value * (quantization?.scale[0] ?? 1));
}

const CASES: readonly (readonly [file: string, options: PlanOptions, tolerance: number])[] = [
  ["tiny-float", { precision: "exact" }, 1e-5],
  ["tiny-float", { precision: "fast" }, 2e-3],
  ["tiny-uint8", { precision: "quantised", dot: false }, 0.05],
  ["tiny-uint8", { precision: "quantised", dot: "unsigned" }, 0.05],
  ["tiny-uint8", { precision: "quantised", dot: "signed" }, 0.05],
  ["tiny-int8", { precision: "quantised", dot: false }, 0.05],
  ["tiny-int8", { precision: "quantised", dot: "unsigned" }, 0.05],
  ["tiny-int8", { precision: "quantised", dot: "signed" }, 0.05],
];

describe("a map is the features times the weights of a class", () => {
  it.each(CASES)("%s, %j", async (file, options, tolerance) => {
    if (options.dot && options.dot !== exactDot()) return; // The features would be wrong; the output channels are tested below.
    const graph = readGraph(await fixture(`ops/${file}.tflite`));
    const head = findHead(graph);
    if (typeof head === "string") throw new Error(head);
    const inputs = inputOf(graph, 5);
    const features = featuresOf(graph, head.features, inputs);
    const [, height, width, channels] = graph.tensors[head.features].shape;
    const [, weightsIndex, biasIndex = -1] = head.classifier.inputs;
    const weights = realValues(graph.tensors[weightsIndex]);
    const bias = biasIndex === -1 ? undefined : realValues(graph.tensors[biasIndex]);
    const plan = makePlan(graph, options);
    for (let label = 0; label < weights.length / channels; label++) {
      const { activation } = finish(classActivation(plan, inputs, () => label));
      expect([activation.height, activation.width]).toEqual([height, width]);
      for (const [place, value] of activation.values.entries()) {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += features[place * channels + c] * weights[label * channels + c];
        expect(Math.abs(value - sum)).toBeLessThan(tolerance);
      }
      expect(activation.bias).toBeCloseTo(bias?.[label] ?? 0, 3);
    }
    expect(() => finish(classActivation(plan, inputs, () => weights.length))).toThrow(RangeError);
    plan.dispose();
  });
});

describe("outChannels are read back as they were packed", () => {
  const [outChannels, reduction] = [11, 13];
  const random = new Random(9);
  const [zero, inputZero] = [125, 17];
  // Some of them too large for qu8_gemm_3x8c4_usdot2.c, which then has overflow weights.
  const bytes = Uint8Array.from({ length: outChannels * reduction }, () =>
    random.next() < 0.02 ? random.int(0, 255) : zero + random.int(-20, 20),
  );
  const floats = random.floats(outChannels * reduction);
  const byteBias = Int32Array.from({ length: outChannels }, () => random.int(-999, 999));
  const floatBias = random.floats(outChannels);
  const multipliers = Array.from({ length: outChannels }, () => 0.01);
  const steps = { input: 1, output: 1, int16: { input: false, output: false } };
  const byteSource = { bytes, type: "uint8" } as const;
  const ofBytes = { weights: () => byteSource, bias: () => byteBias, zero, outChannels, reduction };
  const byteMatrix = { ...ofBytes, multipliers, rounding: "up" } as const;
  const source = { bytes: new Uint8Array(floats.buffer), type: "float32" } as const;
  const floatMatrix = { weights: () => source, bias: () => floatBias, steps, outChannels, reduction };
  const real = [...bytes].map((byte) => byte - zero);
  it.each([
    ["f32_gemm_4x8_fma", packF32Gemm(floatMatrix), [...floats], floatBias, 0],
    ["qd16_f32_gemm_4x8c2_dot16x2", packQd16Gemm(floatMatrix), [...floats], floatBias, 1e-4],
    ["qu8_gemm_4x8c2_dot16x2", packQu8GemmDot16x2(byteMatrix), real, byteBias, 0],
    ["qu8_gemm_4x12c4_usdot", packQu8GemmUsdot(byteMatrix, inputZero), real, byteBias, 0],
    ["qu8_gemm_4x12c4_usdot", packQu8GemmUsdot(byteMatrix, inputZero - 128), real, byteBias, 0, 128],
    ["qu8_gemm_3x8c4_usdot2", undefined, real, byteBias, 0],
  ] as const)("%s", (kernel, known, weights, bias, tolerance, flip: number = 0) => {
    const packed = known ?? packQu8GemmUsdot2(byteMatrix, countOverflow(byteSource, ofBytes) ?? [], inputZero);
    if (known === undefined) expect(countOverflow(byteSource, ofBytes)).not.toEqual([0, 0]);
    const heap = wasmHeap();
    const address = heap.malloc(packed.bytes + (packed.staging ?? 0) + 32);
    const start = align(address);
    const { buffer } = heap.memory;
    const view = new DataView(buffer, start, packed.bytes);
    new Uint8Array(buffer, start, packed.bytes).fill(0);
    packed.write(view, { kernels: loadKernels(), buffer, staging: align(start + packed.bytes) });
    for (let channel = 0; channel < outChannels; channel++) {
      const read = READ_CHANNEL[kernel](view, reduction, channel, { inputZero, weightsZero: zero - 128, flip });
      expect(read.bias).toBe(bias[channel]);
      for (let k = 0; k < reduction; k++) {
        expect(Math.abs(read.weights[k] - weights[channel * reduction + k])).toBeLessThanOrEqual(tolerance);
      }
    }
    heap.free(address);
  });
});

describe.runIf(hasReference)("the scores of whole networks are the means of their maps", () => {
  it.each([
    ["mobilenet_v1_1.0_224", "exact", 1e-5],
    ["mobilenet_v1_1.0_224", "fast", 1e-3],
    ["efficientnet_lite0", "exact", 1e-5],
    ["mobilenet_quant_v1_224", "quantised", 0.03],
    ["tf2_mobilenet_v2_1.0_224_ptq", "quantised", 0.03],
  ] as const)("%s, %s", async (model, precision, tolerance) => {
    const lite = model === "efficientnet_lite0";
    const graph = readGraph(await (lite ? modelFile(`${model}/model.tflite`) : reference(`models/${model}.tflite`)));
    const plan = makePlan(graph, { precision });
    const inputs = inputOf(graph, 3);
    const [probabilities] = plan.run(inputs);
    const scale = graph.tensors[graph.outputs[0]].quantization?.scale[0] ?? 1;
    const scores = Float64Array.from(probabilities, (_, label) => {
      const { values, bias } = plan.classActivation(label);
      return values.reduce((sum, value) => sum + value / values.length, bias);
    });
    const softened = graph.operators.at(-1)?.op === "SOFTMAX" || graph.operators.at(-2)?.op === "SOFTMAX";
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    for (const [label, probability] of probabilities.entries()) {
      const expected = softened ? Math.exp(scores[label]) / total : scores[label];
      expect(Math.abs(probability * scale - expected)).toBeLessThan(tolerance);
    }
    plan.dispose();
  });
});

describe("networks without such a map", () => {
  it("are refused with the reason", async () => {
    const graph = readGraph(await fixture("ops/chain-f32.tflite"));
    const plan = makePlan(graph, { precision: "exact" });
    const explain = () => finish(classActivation(plan, inputOf(graph, 1), () => 0));
    expect(explain).toThrow(NoActivation);
    expect(explain).toThrow(/This network has no map of its classes: its scores/);
    plan.dispose();
  });

  it("are refused where the executor runs them", async () => {
    const graph = readGraph(await fixture("ops/tiny-float.tflite"));
    const executor = new Executor(graph);
    expect(() => finish(classActivation(executor, inputOf(graph, 1), () => 0))).toThrow(/operator by operator/);
    executor.dispose();
  });
});
