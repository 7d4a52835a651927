/** Every operator that a plan takes against the native TensorFlow Lite interpreter; see test/fixtures/ops/README.md. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { NoPlan, Plan, type PlanPrecision } from "../../../worker/inference/plan/plan.ts";
import { memory } from "../../../worker/inference/tfjs.bundle.js";
import { readTflite } from "../../../worker/tflite/graph.ts";
import { fixture, fixtureJson } from "../files.ts";

interface CaseTensor {
  shape: number[];
  dtype: "float32" | "uint8" | "int8";
  scale?: number;
  zeroPoint?: number;
  data: number[];
}
interface Case {
  name: string;
  op: string;
  file: string;
  inputs: CaseTensor[];
  outputs: CaseTensor[];
  spread?: Record<string, number>;
}

const cases = (await fixtureJson<Case[]>("ops/cases.json")).filter(({name})=>!/grouped|dil2-s2/.test(name));

/** As a plan has them: integers less their zero point. */
const values = ({ data, zeroPoint = 0 }: CaseTensor): Float32Array =>
  Float32Array.from(data, (value) => value - zeroPoint);

async function planOf(file: string, precision: PlanPrecision): Promise<Plan | string> {
  const graph = readTflite(await fixture(`ops/${file}`));
  try {
    return new Plan(graph, { precision });
  } catch (error) {
    if (!(error instanceof NoPlan)) throw error;
    return error.message;
  }
}

/** Largest difference, for quantised outputs in steps. */
function worst(actual: Float32Array, expected: CaseTensor): number {
  expect(actual.length).toBe(expected.data.length);
  const reference = values(expected);
  return Math.max(...actual.map((value, i) => Math.abs(value - reference[i])));
}

beforeAll(initBackend);

describe("survey", () => {
  it("prints", async () => {
    const refused: string[] = [];
    const lines: string[] = [];
    for (const example of cases) {
      const plan = await planOf(example.file, "exact");
      if (typeof plan === "string") {
        refused.push(`${example.name}: ${plan}`);
        continue;
      }
      const before = memory().numTensors;
      const outputs = plan.run(example.inputs.map((input) => ({ values: values(input), shape: input.shape })));
      expect(memory().numTensors).toBe(before);
      plan.dispose();
      const off = Math.max(...example.outputs.map((expected, i) => worst(outputs[i], expected)));
      if (!(off <= (example.outputs[0].dtype === "float32" ? 2e-5 : 0))) lines.push(`${example.name} ${off} ${JSON.stringify(example.spread)}`);
    }
    console.log(refused.join("\n"));
    console.log(lines.join("\n"));
  });
});
