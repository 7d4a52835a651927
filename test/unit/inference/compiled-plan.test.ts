/**
 * Compiled plans as data: which kernels run with which parameters on which constants. A snapshot holds those of the shipped
 * models and of every file in test/fixtures/ops, so that a change to the compiler that was not meant to change a plan shows
 * here. If it was meant to:
 *
 *     npx vitest run --project unit test/unit/inference/compiled-plan.test.ts -u
 */
import { beforeAll, describe, expect, it } from "vitest";
import { LabelerError } from "../../../worker/errors.ts";
import { initBackend, wasmHeap } from "../../../worker/inference/backend.ts";
import { readGraph } from "../../../worker/inference/operators/registry.ts";
import { type Compilation, compile } from "../../../worker/inference/plan/compile.ts";
import { nameOf, type PlanStep, serialisePlan } from "../../../worker/inference/plan/compiled-plan.ts";
import { countOverflow } from "../../../worker/inference/plan/count-overflow.ts";
import { PlanInstance } from "../../../worker/inference/plan/instance.ts";
import { loadKernels } from "../../../worker/inference/plan/kernels.ts";
import type { Capabilities, PlanPrecision } from "../../../worker/inference/plan/lower/builder.ts";
import { NoPlan } from "../../../worker/inference/plan/plan.ts";
import { ALIGNMENT, align, type Packed } from "../../../worker/inference/plan/step.ts";
import { rewrite } from "../../../worker/inference/rewrites/rewrite.ts";
import type { Graph } from "../../../worker/tflite/graph.ts";
import { fixture, fixtureJson, modelFile } from "../files.ts";
import type { Case } from "./cases.ts";
import { Random } from "./random-graph.ts";

/** A plan for every way to compute convolutions, whatever the CPU of the test has: plans are compiled here, not run. */
const VARIANTS = {
  exact: ["exact", { dot: false }],
  fast: ["fast", { dot: false }],
  strassen: ["fast", { dot: false, strassen: "always" }],
  dot: ["exact", { dot: "unsigned" }],
  signed: ["exact", { dot: "signed" }],
  pairs: ["exact", { dot: false, countOverflow }],
} as const satisfies Record<string, readonly [PlanPrecision, Capabilities]>;
type Variant = keyof typeof VARIANTS;

function compileAs(graph: Graph, variant: Variant): Compilation {
  const [precision, capabilities]: readonly [PlanPrecision, Capabilities] = VARIANTS[variant];
  return compile(graph, precision, capabilities);
}

async function digest(data: BufferSource): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data)).subarray(0, 8);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The packed constants of a step, as they would lie in the heap. */
function pack(packed: Packed): Uint8Array<ArrayBuffer> {
  const heap = wasmHeap();
  const address = heap.malloc(packed.bytes + (packed.staging ?? 0) + 3 * ALIGNMENT);
  const start = align(address);
  const { buffer } = heap.memory;
  new Uint8Array(buffer, start, packed.bytes).fill(0);
  const packing = { kernels: loadKernels(), buffer, staging: align(start + packed.bytes) };
  packed.write(new DataView(buffer, start, packed.bytes), packing);
  const copy = new Uint8Array(buffer, start, packed.bytes).slice();
  heap.free(address);
  return copy;
}

const digestsOf = ({ constants }: Compilation): Promise<string[]> =>
  Promise.all(constants.map((packed) => (packed ? digest(pack(packed)) : "")));

/** One digest of all that a plan is, or why there is none. */
async function digestOf(graph: Graph, variant: Variant): Promise<string> {
  try {
    const compilation = compileAs(graph, variant);
    const text = `${serialisePlan(compilation.plan)} ${(await digestsOf(compilation)).join()}`;
    return await digest(new TextEncoder().encode(text));
  } catch (error) {
    if (!(error instanceof NoPlan || error instanceof LabelerError)) throw error;
    return error.message;
  }
}

/** A line of the snapshot. */
async function describeStep(step: PlanStep, packed: string): Promise<string> {
  const { operator, packedBytes, scratchBytes } = step;
  const parameters = await digest(new TextEncoder().encode(serialisePlan(step.parameters as never)));
  const constants = packed && `, ${packedBytes} B packed ${packed}`;
  return `${operator.index} ${operator.op}: ${nameOf(step)} ${parameters}${constants}, ${scratchBytes} B scratch`;
}

beforeAll(initBackend);

describe("the plan of a shipped model", () => {
  it.each([
    ["mobilenet_v1_1.0_224", "exact"],
    ["mobilenet_v1_1.0_224", "fast"],
    ["efficientnet_lite0", "exact"],
    ["efficientnet_lite0", "fast"],
    ["mobilenet_quant_v1_224", "exact"],
    ["mobilenet_quant_v1_224", "dot"],
    ["mobilenet_quant_v1_224", "signed"],
    ["mobilenet_quant_v1_224", "pairs"],
  ] as const)("%s, %s, has the same kernels with the same parameters", async (model, variant) => {
    const compilation = compileAs(readGraph(await modelFile(`${model}/model.tflite`)), variant);
    const { steps, memory, inputs, outputs, tensors, head } = compilation.plan;
    const packed = await digestsOf(compilation);
    expect({
      steps: await Promise.all(steps.map((step, i) => describeStep(step, packed[i]))),
      rest: await digest(new TextEncoder().encode(JSON.stringify([inputs, outputs, tensors, head, memory]))),
      bytes: memory.bytes,
      arenaBytes: memory.arenaBytes,
    }).toMatchSnapshot();
  });
});

it("the plan of each file in test/fixtures/ops has the same kernels with the same parameters", async () => {
  const files = [...new Set((await fixtureJson<Case[]>("ops/cases.json")).map(({ file }) => file))];
  expect(files.length).toBeGreaterThan(500);
  const plans: Record<string, string> = {};
  for (const file of files.toSorted()) {
    const graph = rewrite(readGraph(await fixture(`ops/${file}`)));
    const digests: string[] = [];
    for (const variant of Object.keys(VARIANTS) as Variant[]) digests.push(await digestOf(graph, variant));
    // Most are alike for all variants.
    plans[file] = new Set(digests).size === 1 ? digests[0] : digests.join(" ");
  }
  expect(plans).toMatchSnapshot();
});

describe("a compiled plan", () => {
  it.each(["tiny-float", "tiny-uint8", "tiny-int8"])("of %s is plain data: a copy of it runs as well", async (file) => {
    const graph = readGraph(await fixture(`ops/${file}.tflite`));
    const { plan, constants, taps } = compileAs(graph, "exact");
    // Throws for functions, and makes objects without a prototype of what has one.
    const copy = structuredClone(plan);
    expect(copy).toStrictEqual(plan);
    const { shape } = graph.tensors[graph.inputs[0]];
    const random = new Random(3);
    const values = random.floats(shape.reduce((size, dim) => size * dim, 1)).map((value) => Math.round(50 * value));
    const outputs = [plan, copy].map((plan) => {
      const instance = new PlanInstance({ plan, constants, taps });
      const [output] = instance.run([{ values, shape }]);
      instance.dispose();
      return output;
    });
    expect(new Set(outputs[0]).size).toBeGreaterThan(1);
    expect(outputs[1]).toEqual(outputs[0]);
  });

  it("has infinite parameters in its JSON, as strings", async () => {
    const { plan } = compileAs(readGraph(await fixture("ops/conv2d-f32-1x1.tflite")), "exact");
    const { steps } = JSON.parse(serialisePlan(plan));
    expect(steps[0]).toMatchObject({ kernel: "f32_gemm_4x8_fma", parameters: { low: "-Infinity", high: "Infinity" } });
  });

  it("keeps nothing of the file: no weights", async () => {
    const file = await modelFile("mobilenet_quant_v1_224/model.tflite");
    const { plan } = compileAs(readGraph(file), "exact");
    expect(serialisePlan(plan).length).toBeLessThan(file.length / 50);
  });
});
