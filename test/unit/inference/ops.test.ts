/** Every operator against the native TensorFlow Lite interpreter; see test/fixtures/ops/README.md. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { Executor } from "../../../worker/inference/executor.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { rewrite } from "../../../worker/inference/rewrites/rewrite.ts";
import { memory } from "../../../worker/inference/tfjs.bundle.js";
import { fixture, fixtureJson } from "../files.ts";
import type { Case, CaseTensor } from "./cases.ts";
import { graphOf } from "./random-graph.ts";

/** What TensorFlow Lite runs and tfjs has no kernel for. */
const REFUSED: Record<string, RegExp> = {
  "conv2d-f32-3x3-dil2-s2-same": /Operator 0 \(CONV_2D\) has both strides and dilation/,
  "conv2d-i8c-3x3-dil2-s2-same": /Operator 0 \(CONV_2D\) has both strides and dilation/,
};

const all = await fixtureJson<Case[]>("ops/cases.json");
const cases = all.filter(({ name }) => !(name in REFUSED));
const ops = [...new Set(cases.map(({ op }) => op))];

/** As the executor has them: integers less their zero point. */
const values = ({ data, zeroPoint = 0 }: CaseTensor): Float32Array =>
  Float32Array.from(data, (value) => value - zeroPoint);

/** Largest difference, for quantised outputs in steps. */
function worst(actual: Float32Array, expected: CaseTensor): number {
  expect(actual.length).toBe(expected.data.length);
  const reference = values(expected);
  return Math.max(...actual.map((value, i) => Math.abs(value - reference[i])));
}

/**
 * Where TensorFlow Lite's own kernels differ from each other, nobody else may be asked to be nearer than they are; and a
 * value that lies between two steps may be rounded to either.
 */
const tolerance = ({ name, outputs, spread }: Case): number => {
  // TensorFlow Lite runs int8 weights on int8 activations even where the graph's are float; here they stay float.
  if (/-hyb/.test(name)) return 0.005;
  if (name === "chain-u8-dequantize-tail") return 0.02;
  if (outputs[0].dtype === "float32") return 2e-5;
  return Math.max(1, ...Object.values(spread ?? {})) + 1e-3;
};

beforeAll(initBackend);

describe.each(ops)("%s", (op) => {
  it.each(cases.filter((candidate) => candidate.op === op))(
    "$name is as TensorFlow Lite computes it",
    async (example) => {
      const executor = new Executor(rewrite(readGraph(await fixture(`ops/${example.file}`))));
      const before = memory().numTensors;
      const outputs = executor.run(example.inputs.map((input) => ({ values: values(input), shape: input.shape })));
      expect(memory().numTensors).toBe(before);
      executor.dispose();
      example.outputs.forEach((expected, i) => {
        expect(worst(outputs[i], expected)).toBeLessThanOrEqual(tolerance(example));
      });
    },
  );
});

it("a quantised output is a number where the function has none", () => {
  const quantization = { scale: [0.1], zeroPoint: [3], axis: 0 };
  const contents = { shape: [1, 4], type: "int8", quantization } as const;
  const executor = new Executor(graphOf([contents, contents], { op: "SQRT", options: undefined }));
  const [output] = executor.run([{ values: Float32Array.of(-50, -1, 0, 40), shape: [1, 4] }]);
  executor.dispose();
  expect([...output]).toEqual([-131, -131, 0, 20]);
});

it("a grouped convolution whose rewritten weights would fill the memory is refused", () => {
  const options = { padding: "same", stride: [1, 1], dilation: [1, 1], activation: "NONE" };
  const groups = 1 << 19;
  // Of two channels each, with one filter: 8192 groups would be computed together.
  const filter = { shape: [groups, 1, 1, 2], data: new Int8Array(2 * groups) };
  const graph = graphOf([{ shape: [1, 1, 1, 2 * groups] }, filter, { shape: [1, 1, 1, groups] }], {
    op: "CONV_2D",
    options,
  });
  const { operators } = rewrite(graph);
  expect(operators.map(({ op }) => op)).toEqual(["CONV_2D"]);
  expect(() => new Executor(rewrite(graph))).toThrow(/is a grouped convolution \(1048576 channels in, filters for 2\)/);
});

describe("what the executor cannot run", () => {
  it.each(all.filter(({ name }) => name in REFUSED))(
    "$name is refused by operator and reason",
    async ({ name, file }) => {
      const graph = readGraph(await fixture(`ops/${file}`));
      expect(() => new Executor(graph)).toThrow(REFUSED[name]);
    },
  );
});
