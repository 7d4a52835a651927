/** Whole networks as plans against native TensorFlow Lite, on pixels that Pillow made. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { Plan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import { type InputSpec, inspectModel } from "../../../worker/model/inspect.ts";
import { preprocessor } from "../../../worker/model/preprocess.ts";
import { hasReference, reference, referenceJson } from "../files.ts";
import { referencePixels } from "../reference-pixels.ts";

interface Golden {
  file: string;
  top5: { index: number; label: string; confidence: number }[];
}

const CLASSES = 1001;
const MIB = 2 ** 20;

beforeAll(initBackend);

async function load(model: string, options: PlanOptions): Promise<{ plan: Plan; input: InputSpec }> {
  const labels = new TextDecoder().decode(await reference("models/labels_mobilenet_v1_1.0_224.txt"));
  const { graph, input } = await inspectModel({ tflite: await reference(`models/${model}.tflite`), labels });
  return { plan: new Plan(graph, options), input };
}

async function outputs(plan: Plan, input: InputSpec, file: string): Promise<Float32Array> {
  const pixels = await referencePixels(`golden/reference224/${file}.png`);
  const shape = [1, input.height, input.width, 3];
  return plan.run([{ values: preprocessor(input)(pixels), shape }])[0];
}

const best = (values: Float32Array, count: number): number[] =>
  [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);

const goldenImages = () =>
  referenceJson<{ images: Golden[]; imagenet_sample: Golden[] }>("golden/mobilenet_v1_1.0_224.json");

describe.runIf(hasReference)("MobileNet v1 float", () => {
  it("exact: gives the top five of all 114 images in TensorFlow Lite's order, confidences within 1e-5", async () => {
    const { images, imagenet_sample } = await goldenImages();
    const { plan, input } = await load("mobilenet_v1_1.0_224", { precision: "exact" });
    const all = [...images, ...imagenet_sample];
    expect(all.length).toBe(114);
    let worst = 0;
    for (const { file, top5 } of all) {
      const probabilities = await outputs(plan, input, file);
      expect(best(probabilities, 5)).toEqual(top5.map(({ index }) => index));
      for (const { index, confidence } of top5) worst = Math.max(worst, Math.abs(probabilities[index] - confidence));
    }
    console.log(`exact: largest difference ${worst.toExponential(1)}, ${(plan.weightBytes / MIB).toFixed(1)} MiB`);
    expect(worst).toBeLessThan(1e-5);
    expect(plan.weightBytes).toBeLessThan(32 * MIB);
    plan.dispose();
  });

  it("fast: has the best label of at least 113 of 114 images, confidences within 0.01", async () => {
    const { images, imagenet_sample } = await goldenImages();
    const { plan, input } = await load("mobilenet_v1_1.0_224", { precision: "fast" });
    let equal = 0;
    let worst = 0;
    for (const { file, top5 } of [...images, ...imagenet_sample]) {
      const probabilities = await outputs(plan, input, file);
      if (best(probabilities, 1)[0] === top5[0].index) equal++;
      for (const { index, confidence } of top5) worst = Math.max(worst, Math.abs(probabilities[index] - confidence));
    }
    console.log(
      `fast: ${equal} of 114, largest difference ${worst.toExponential(1)}, ${(plan.weightBytes / MIB).toFixed(1)} MiB`,
    );
    expect(equal).toBeGreaterThanOrEqual(113);
    expect(worst).toBeLessThan(0.01);
    expect(plan.weightBytes).toBeLessThan(20 * MIB);
    plan.dispose();
  });
});

describe.runIf(hasReference)("quantised networks", () => {
  it.each(["mobilenet_quant_v1_224", "mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq"])(
    "%s gives native TensorFlow Lite's bytes on 99 in 100 and within one step on 999 in 1000",
    async (model) => {
      const { imagenet_sample } = await goldenImages();
      const native = await reference(`golden/raw/${model}.u8`);
      const { plan, input } = await load(model, { precision: "quantised" });
      let [equal, near, bestEqual, nonzero, nonzeroEqual] = [0, 0, 0, 0, 0];
      for (const [row, { file }] of imagenet_sample.entries()) {
        const expected = native.subarray(row * CLASSES, (row + 1) * CLASSES);
        const ours = await outputs(plan, input, file);
        for (const [i, value] of ours.entries()) {
          const off = Math.abs(value - expected[i]);
          if (off === 0) equal++;
          if (off <= 1) near++;
          if (expected[i] > 0) {
            nonzero++;
            if (off === 0) nonzeroEqual++;
          }
        }
        if (expected[best(ours, 1)[0]] === Math.max(...expected)) bestEqual++;
      }
      const total = imagenet_sample.length * CLASSES;
      console.log(
        `${model}: ${((100 * equal) / total).toFixed(3)} % equal, ${((100 * near) / total).toFixed(3)} % within one, ` +
          `${((100 * nonzeroEqual) / nonzero).toFixed(1)} % of those that are not zero, best label ${bestEqual}, ` +
          `${(plan.weightBytes / MIB).toFixed(1)} MiB`,
      );
      expect(equal / total).toBeGreaterThanOrEqual(0.99);
      expect(near / total).toBeGreaterThanOrEqual(0.999);
      expect(plan.weightBytes).toBeLessThan(20 * MIB);
      plan.dispose();
    },
  );
});
