/** The kernels that are rehearsed before a model is loaded must be those that models then run. */
import { expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { makePlan } from "../../../worker/inference/plan/plan.ts";
import { rehearsalPlan } from "../../../worker/inference/rehearsal.ts";
import { modelFile } from "../files.ts";

it.each([
  ["mobilenet_v1_1.0_224", "exact"],
  ["mobilenet_v1_1.0_224", "fast"],
  ["efficientnet_lite0", "fast"],
  ["mobilenet_quant_v1_224", "quantised"],
] as const)("the kernels of %s, %s: all that are called often", async (model, precision) => {
  await initBackend();
  const plan = makePlan(readGraph(await modelFile(`${model}/model.tflite`)), { precision });
  const rehearsal = rehearsalPlan(precision);
  const calls = Map.groupBy(plan.kernels, (kernel) => kernel);
  const convolutions = [...calls.keys()].filter((kernel) => /_(gemm|dwconv)_/.test(kernel));
  // Few layers are worth residues, where there are any; the first ones are not.
  const often = convolutions.filter((kernel) => (calls.get(kernel) ?? []).length >= 5);
  expect(often.length).toBeGreaterThanOrEqual(2);
  expect([...new Set(rehearsal.kernels)].sort()).toEqual(expect.arrayContaining(often));
  plan.dispose();
  rehearsal.dispose();
});
