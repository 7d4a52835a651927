/** Every operator that a plan takes against the native TensorFlow Lite interpreter; see test/fixtures/ops/README.md. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { makePlan, NoPlan, type PlanInstance, type PlanPrecision } from "../../../worker/inference/plan/plan.ts";
import { rewrite } from "../../../worker/inference/rewrites/rewrite.ts";
import { memory } from "../../../worker/inference/tfjs.bundle.js";
import { fixture, fixtureJson } from "../files.ts";
import type { Case, CaseTensor } from "./cases.ts";

/** What the executor refuses too, see ops.test.ts, and what is left to it, see ../model/precision.test.ts. */
const NOT_PLANNED = /dil2-s2|tiny-gated/;
const cases = (await fixtureJson<Case[]>("ops/cases.json")).filter(({ name }) => !NOT_PLANNED.test(name));

/** As a plan has them: integers less their zero point. */
const values = ({ data, zeroPoint = 0 }: CaseTensor): Float32Array =>
  Float32Array.from(data, (value) => value - zeroPoint);

const planOf = async (file: string, precision: PlanPrecision): Promise<PlanInstance> =>
  makePlan(rewrite(readGraph(await fixture(`ops/${file}`))), { precision });

/** Largest difference, for quantised outputs in steps. */
function worst(actual: Float32Array, expected: CaseTensor): number {
  expect(actual.length).toBe(expected.data.length);
  const reference = values(expected);
  return Math.max(...actual.map((value, i) => Math.abs(value - reference[i])));
}

beforeAll(initBackend);

/**
 * The recorded answers are those of TensorFlow Lite's reference kernels; where its own optimised ones, which it runs by
 * default and plans are like, differ from them, by as much may plans.
 */
const tolerance = ({ name, outputs, spread }: Case): number => {
  // TensorFlow Lite runs int8 weights on int8 activations even where the graph's are float; here they stay float.
  if (/-hyb/.test(name)) return 0.005;
  return outputs[0].dtype === "float32" ? 2e-5 : (spread?.optimised ?? 0);
};

const ops = [...new Set(cases.map(({ op }) => op))];

function compare(plan: PlanInstance, { inputs, outputs }: Case, most: number): void {
  const before = memory().numTensors;
  // Twice, since nothing of the first image may be left in the memory of the second.
  for (let i = 0; i < 2; i++) {
    const actual = plan.run(inputs.map((input) => ({ values: values(input), shape: input.shape })));
    expect(memory().numTensors).toBe(before);
    for (const [i, expected] of outputs.entries()) expect(worst(actual[i], expected)).toBeLessThanOrEqual(most);
  }
  plan.dispose();
}

describe.each(ops)("%s", (op) => {
  const some = cases.filter((candidate) => candidate.op === op);

  it.each(some)("$name is as TensorFlow Lite computes it", async (example) => {
    compare(await planOf(example.file, "exact"), example, tolerance(example));
  });

  it.each(some.filter(({ outputs }) => outputs[0].dtype === "float32"))("$name, fast, is near", async (example) => {
    compare(await planOf(example.file, "fast"), example, Math.max(0.005, tolerance(example)));
  });
});

it("a float network has no plan where a quantised one is asked for", async () => {
  const graph = readGraph(await fixture("ops/tiny-float.tflite"));
  expect(() => makePlan(graph, { precision: "quantised" })).toThrow(NoPlan);
  expect(() => makePlan(graph, { precision: "quantised" })).toThrow(/not quantised/);
});
