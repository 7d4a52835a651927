/** Features that a run sums up, compared with the whole tensors, which a plan that ends at them returns. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { Executor } from "../../../worker/inference/executor.ts";
import { NoFeatures, runTapped } from "../../../worker/inference/features.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { makePlan, type PlanPrecision } from "../../../worker/inference/plan/plan.ts";
import { findTaps, type Taps } from "../../../worker/inference/taps.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import type { Graph } from "../../../worker/tflite/graph.ts";
import { fixture, hasReference, modelFile, reference } from "../files.ts";
import { Random, size } from "./random-graph.ts";

beforeAll(initBackend);

/** Whole numbers in the range of bytes for quantised graphs, −1..1 for float ones. */
function inputOf(graph: Graph) {
  const tensor = graph.tensors[graph.inputs[0]];
  const zero = tensor.quantization?.zeroPoint[0] ?? 0;
  const low = tensor.type === "int8" ? -128 : 0;
  const values = new Random(11)
    .floats(size(tensor.shape))
    .map((value) => (tensor.type === "float32" ? value : Math.round((value + 1) * 127) + low - zero));
  return [{ values, shape: tensor.shape }];
}

function tapsOf(graph: Graph): Taps {
  const taps = findTaps(graph);
  if (typeof taps === "string") throw new Error(taps);
  return taps;
}

/** All values of a tensor, as real numbers: the output of the graph up to it. */
function tensorValues(graph: Graph, index: number, precision: PlanPrecision): Float32Array {
  const last = graph.operators.findIndex(({ outputs }) => outputs[0] === index);
  const plan = makePlan({ ...graph, operators: graph.operators.slice(0, last + 1), outputs: [index] }, { precision });
  const [values] = plan.run(inputOf(graph));
  plan.dispose();
  const scale = graph.tensors[index].quantization?.scale[0] ?? 1;
  return graph.tensors[index].type === "float32" ? values : values.map((value) => value * scale);
}

/** A value a channel, in the plainest way. */
function reduced(values: Float32Array, channels: number, of: (column: number[]) => number): number[] {
  const places = values.length / channels;
  return Array.from({ length: channels }, (_, c) =>
    of(Array.from({ length: places }, (_, i) => values[i * channels + c])),
  );
}

const mean = (column: number[]) => column.reduce((sum, value) => sum + value, 0) / column.length;

function compare(graph: Graph, precision: PlanPrecision): void {
  const plan = makePlan(graph, { precision });
  const plain = plan.run(inputOf(graph));
  const { outputs, tapped } = finish(runTapped(plan, inputOf(graph)));
  // The network computes the same, to the last bit.
  expect(outputs).toEqual(plain);
  plan.dispose();
  const taps = tapsOf(graph);
  const check = (found: Float32Array, tensor: number | undefined, of: (column: number[]) => number) => {
    if (tensor === undefined) {
      expect(found).toHaveLength(0);
      return;
    }
    const channels = graph.tensors[tensor].shape.at(-1) ?? 0;
    const expected = reduced(tensorValues(graph, tensor, precision), channels, of);
    expect(found).toHaveLength(channels);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [c, value] of expected.entries()) expect(Math.abs(found[c] - value)).toBeLessThan(1e-6 * largest);
  };
  check(tapped.pooled, taps.pooled, mean);
  check(tapped.maxima, taps.map, (column) => Math.max(...column));
  check(tapped.late, taps.late, mean);
  check(tapped.early, taps.early, mean);
}

describe("features are the channels of tensors of the same run", () => {
  it.each([
    ["tiny-float", "exact"],
    ["tiny-float", "fast"],
    ["tiny-uint8", "quantised"],
    ["tiny-int8", "quantised"],
  ] as const)("%s, %s", async (file, precision) => {
    compare(readGraph(await fixture(`ops/${file}.tflite`)), precision);
  });

  it.each([
    ["efficientnet_lite0", "exact"],
    ["mobilenet_quant_v1_224", "quantised"],
  ] as const)("%s, %s", async (model, precision) => {
    compare(readGraph(await modelFile(`${model}/model.tflite`)), precision);
  });

  it("float networks in 16 bits come close to the exact ones", async () => {
    const graph = readGraph(await modelFile("efficientnet_lite0/model.tflite"));
    const [exact, fast] = (["exact", "fast"] as const).map((precision) => {
      const plan = makePlan(graph, { precision });
      const { tapped } = finish(runTapped(plan, inputOf(graph)));
      plan.dispose();
      return tapped;
    });
    for (const name of ["pooled", "maxima", "late", "early"] as const) {
      const largest = Math.max(...(exact?.[name] ?? []).map(Math.abs));
      for (const [c, value] of exact?.[name].entries() ?? [])
        expect(Math.abs((fast?.[name][c] ?? 0) - value)).toBeLessThan(0.02 * largest);
    }
  });
});

describe("stages are found by structure", () => {
  const shapes = (graph: Graph) => {
    const { map, pooled, late, early } = tapsOf(graph);
    return [map, pooled, late, early].map((tensor) => {
      const maker = graph.operators.find(({ outputs }) => outputs[0] === tensor);
      return tensor === undefined ? undefined : `${maker?.op} ${graph.tensors[tensor].shape.slice(1).join("x")}`;
    });
  };

  it("of inverted residuals: the narrow ends of blocks, not what is expanded within", async () => {
    const graph = readGraph(await modelFile("efficientnet_lite0/model.tflite"));
    expect(shapes(graph)).toEqual(["CONV_2D 7x7x1280", "MEAN 1280", "CONV_2D 7x7x192", "ADD 14x14x112"]);
  });

  it("of separable convolutions: the pointwise ones", async () => {
    const graph = readGraph(await modelFile("mobilenet_v1_1.0_224/model.tflite"));
    const pooled = "AVERAGE_POOL_2D 1x1x1024";
    expect(shapes(graph)).toEqual(["CONV_2D 7x7x1024", pooled, "CONV_2D 7x7x1024", "CONV_2D 14x14x512"]);
  });

  it.runIf(hasReference)("of a quantised MobileNet v2", async () => {
    const graph = readGraph(await reference("models/tf2_mobilenet_v2_1.0_224_ptq.tflite"));
    expect(shapes(graph)).toEqual(["CONV_2D 7x7x1280", "MEAN 1x1x1280", "CONV_2D 7x7x160", "ADD 14x14x96"]);
  });
});

describe("networks without features", () => {
  it("are refused with the reason", async () => {
    const graph = readGraph(await fixture("ops/chain-f32.tflite"));
    const plan = makePlan(graph, { precision: "exact" });
    const run = () => finish(runTapped(plan, inputOf(graph)));
    expect(run).toThrow(NoFeatures);
    expect(run).toThrow(/This network gives no features: it ends in \w+ without a pooling over all places before\./);
    plan.dispose();
  });

  it("are refused where the executor runs them", async () => {
    const graph = readGraph(await fixture("ops/tiny-float.tflite"));
    const executor = new Executor(graph);
    expect(() => finish(runTapped(executor, inputOf(graph)))).toThrow(/operator by operator/);
    executor.dispose();
  });
});
