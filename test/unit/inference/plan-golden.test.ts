/** Plans of whole networks compared with native TensorFlow Lite, on Pillow's pixels. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { makePlan, type PlanInstance, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import { type InputSpec, inspectModel } from "../../../worker/model/inspect.ts";
import { levelsOf } from "../../../worker/model/preprocess.ts";
import { fixture, hasReference, modelFile, reference, referenceJson } from "../files.ts";
import { referencePixels } from "../reference-pixels.ts";

interface Golden {
  file: string;
  top5: { index: number; label: string; confidence: number }[];
}

const CLASSES = 1001;
const MIB = 2 ** 20;

beforeAll(initBackend);

async function load(model: string, options: PlanOptions): Promise<{ plan: PlanInstance; input: InputSpec }> {
  if (model === "efficientnet_lite0") {
    const text = async (name: string) => new TextDecoder().decode(await modelFile(`${model}/${name}`));
    const files = { tflite: await modelFile(`${model}/model.tflite`), labels: await text("labels.txt") };
    const { graph, input } = await inspectModel({ ...files, spec: await text("model.json") });
    return { plan: makePlan(graph, options), input };
  }
  const labels = new TextDecoder().decode(await reference("models/labels_mobilenet_v1_1.0_224.txt"));
  const { graph, input } = await inspectModel({ tflite: await reference(`models/${model}.tflite`), labels });
  return { plan: makePlan(graph, options), input };
}

async function outputs(plan: PlanInstance, input: InputSpec, file: string): Promise<Float32Array> {
  const pixels = await referencePixels(`golden/reference224/${file}.png`);
  const shape = [1, input.height, input.width, 3];
  return plan.run([{ pixels, levels: levelsOf(input), shape }])[0];
}

const best = (values: Float32Array, count: number): number[] =>
  [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);

const goldenImages = () =>
  referenceJson<{ images: Golden[]; imagenet_sample: Golden[] }>("golden/mobilenet_v1_1.0_224.json");

interface OfAll {
  readonly outputs: readonly Float32Array[];
  readonly mebibytes: number;
}

const computed = new Map<string, Promise<OfAll>>();

/** What a network gives for all 114 images, in their order, and what its plan takes; computed once, since several ask. */
function ofAll(model: string, precision: "exact" | "fast"): Promise<OfAll> {
  const compute = async () => {
    const { images, imagenet_sample } = await goldenImages();
    const { plan, input } = await load(model, { precision });
    const results: Float32Array[] = [];
    for (const { file } of [...images, ...imagenet_sample]) results.push(await outputs(plan, input, file));
    const mebibytes = plan.weightBytes / MIB;
    plan.dispose();
    return { outputs: results, mebibytes };
  };
  const key = `${model} ${precision}`;
  const found = computed.get(key) ?? compute();
  computed.set(key, found);
  return found;
}

describe.runIf(hasReference)("MobileNet v1 float", () => {
  it("exact: gives the top five of all 114 images in TensorFlow Lite's order, confidences within 1e-5", async () => {
    const { images, imagenet_sample } = await goldenImages();
    const { outputs, mebibytes } = await ofAll("mobilenet_v1_1.0_224", "exact");
    expect(outputs.length).toBe(114);
    let worst = 0;
    for (const [row, { top5 }] of [...images, ...imagenet_sample].entries()) {
      expect(best(outputs[row], 5)).toEqual(top5.map(({ index }) => index));
      for (const { index, confidence } of top5) worst = Math.max(worst, Math.abs(outputs[row][index] - confidence));
    }
    console.log(`exact: largest difference ${worst.toExponential(1)}, ${mebibytes.toFixed(1)} MiB`);
    expect(worst).toBeLessThan(1e-5);
    expect(mebibytes).toBeLessThan(32);
  });
});

describe.runIf(hasReference)("fast against exact, over all 114 images", () => {
  it.each([
    ["mobilenet_v1_1.0_224", 20],
    ["efficientnet_lite0", 20],
  ])("%s: the top-1 label of 113 and of all that are sure, within %i MiB", async (model, most) => {
    const [exact, fast] = [await ofAll(model, "exact"), await ofAll(model, "fast")];
    expect(exact.outputs.length).toBe(114);
    let equal = 0;
    let worst = 0;
    const unsure: number[] = [];
    for (const [row, expected] of exact.outputs.entries()) {
      const actual = fast.outputs[row];
      const [label] = best(expected, 1);
      if (best(actual, 1)[0] === label) equal++;
      else unsure.push(expected[label]);
      for (const [i, value] of expected.entries()) worst = Math.max(worst, Math.abs(actual[i] - value));
    }
    console.log(
      `${model}, fast: ${equal} of 114, largest difference ${worst.toExponential(1)}, ${fast.mebibytes.toFixed(1)} MiB`,
    );
    expect(equal).toBeGreaterThanOrEqual(113);
    for (const confidence of unsure) expect(confidence).toBeLessThan(0.5);
    expect(worst).toBeLessThan(0.01);
    expect(fast.mebibytes).toBeLessThan(most);
  });

  it("images of extremes alone do not overflow it", async () => {
    const { plan: exact, input } = await load("mobilenet_v1_1.0_224", { precision: "exact" });
    const { plan: fast } = await load("mobilenet_v1_1.0_224", { precision: "fast" });
    const size = 3 * input.height * input.width;
    const patterns: ((i: number) => number)[] = [
      () => 0,
      () => 255,
      (i) => (i % 2) * 255,
      (i) => (Math.floor(i / 3) % 2) * 255,
      (i) => ((i * 7919) & 64 ? 255 : 0),
      (i) => (i * 2654435761) & 255,
    ];
    for (const pattern of patterns) {
      const pixels = Uint8Array.from({ length: size }, (_, i) => pattern(i));
      const inputs = [{ pixels, levels: levelsOf(input), shape: [1, input.height, input.width, 3] }];
      const [expected, actual] = [exact.run(inputs)[0], fast.run(inputs)[0]];
      expect(best(actual, 1)).toEqual(best(expected, 1));
      for (const [i, value] of expected.entries()) expect(Math.abs(actual[i] - value)).toBeLessThan(0.02);
    }
    exact.dispose();
    fast.dispose();
  });
});

/** What LiteRT 2.3 makes of it; see scripts/fixtures/litert_ptq.py. */
const INT8 = "tf2_mobilenet_v2_1.0_224_ptq";

describe.runIf(hasReference)("quantised networks", () => {
  /** The bytes of a network for all photos, beside ours. */
  async function* rows(model: string, native: Uint8Array) {
    const { imagenet_sample } = await goldenImages();
    const { plan, input } = await load(model, { precision: "quantised" });
    expect(imagenet_sample.length).toBe(100);
    for (const [row, { file }] of imagenet_sample.entries()) {
      const expected = native.subarray(row * CLASSES, (row + 1) * CLASSES);
      yield { file, expected, actual: Uint8Array.from(await outputs(plan, input, file)) };
    }
    console.log(`${model}: ${(plan.weightBytes / MIB).toFixed(1)} MiB`);
    expect(plan.weightBytes).toBeLessThan(20 * MIB);
    plan.dispose();
  }

  it.each([
    ["mobilenet_quant_v1_224", () => reference("golden/raw/mobilenet_quant_v1_224.u8")],
    ["mobilenet_v2_1.0_224_quant", () => reference("golden/raw/mobilenet_v2_1.0_224_quant.u8")],
    [INT8, () => fixture(`litert/${INT8}.u8`)],
  ])("%s gives native TensorFlow Lite's byte for each of 1001 classes on all 100 images", async (model, native) => {
    for await (const { file, expected, actual } of rows(model, await native())) expect(actual, file).toEqual(expected);
  });

  it("int8: the bytes of a TensorFlow Lite that rounds means otherwise agree in 99.9 %, the top-1 label always", async () => {
    let [equal, near, all] = [0, 0, 0];
    for await (const { file, expected, actual } of rows(INT8, await reference(`golden/raw/${INT8}.u8`))) {
      for (const [i, byte] of expected.entries()) {
        const difference = Math.abs(byte - actual[i]);
        all++;
        if (difference === 0) equal++;
        if (difference <= 1) near++;
      }
      expect(best(Float32Array.from(actual), 1), file).toEqual(best(Float32Array.from(expected), 1));
    }
    console.log(`equal: ${equal} of ${all}, within a step: ${near}`);
    expect(equal / all).toBeGreaterThan(0.999);
    expect(near / all).toBeGreaterThan(0.9995);
  });
});
