/** Models from outside: what is listed, how the first requests meet a cold model, and models that users bring. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningLabeler, startLabeler } from "../../scripts/lib/labeler.ts";
import { indexModels } from "../../scripts/lib/model-index.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";

const coffee = fixture("coffee.png");

describe("a cold labeler", () => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await startLabeler();
  });
  afterAll(() => labeler?.stop());

  it("labels for the next caller after the one that started the load has hung up", async () => {
    const hangUp = post(`${labeler.url}/label`, coffee);
    const controller = new AbortController();
    const gone = fetch(`${labeler.url}/label`, { method: "POST", body: coffee, signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(gone).rejects.toThrow();
    expect((await labelsOf(await post(`${labeler.url}/label`, coffee)))[0].label).toBe("968:espresso");
    await hangUp;
  });

  it("labels for eight callers at once, each by the model it asks for", async () => {
    const names = ["mobilenet_quant_v1_224", "mobilenet_v1_1.0_224"];
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post(`${labeler.url}/label?model=${names[i % 2]}`, coffee)),
    );
    const labels = await Promise.all(answers.map(labelsOf));
    expect(labels.map(([best]) => best.label)).toEqual(Array(8).fill("968:espresso"));
    expect(labels[0][0].confidence).not.toBe(labels[1][0].confidence);
    expect(labels.filter((_, i) => i % 2 === 0).every(([best]) => best.confidence === labels[0][0].confidence)).toBe(
      true,
    );
  });

  it("lists what is installed, and says which labels by default", async () => {
    const models = await (await fetch(`${labeler.url}/models`)).json();
    expect(models).toMatchObject([
      { name: "efficientnet_lite0", default: false, classes: 1000, licence: "Apache-2.0", crop: "center" },
      {
        name: "mobilenet_quant_v1_224",
        default: false,
        classes: 1001,
        input: { width: 224, height: 224, type: "uint8" },
      },
      { name: "mobilenet_v1_1.0_224", default: true, licence: "Apache-2.0", precisions: ["exact"], crop: "squash" },
    ]);
    expect(await (await fetch(`${labeler.url}/models/mobilenet_v1_1.0_224`)).json()).toEqual(models[2]);
    await expectProblem(
      await fetch(`${labeler.url}/models/none`),
      404,
      "unknown-model",
      /Installed: efficientnet_lite0, mobilenet/,
    );
  });
});

describe("models that users bring", () => {
  const folder = mkdtempSync(join(tmpdir(), "models-"));
  const add = (name: string, file: string, files: Record<string, string> = {}) => {
    mkdirSync(join(folder, name));
    cpSync(join("test/fixtures/ops", file), join(folder, name, "model.tflite"));
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, name, path), text);
  };
  const four = "red\ngreen\nblue\ngrey\n";
  let labeler: RunningLabeler;

  beforeAll(async () => {
    add("float", "tiny-float.tflite", { "labels.txt": four });
    add("int8", "tiny-int8.tflite", { "labels.txt": four });
    add("zipped", "labels-in-zip.tflite");
    add("no-labels", "tiny-float.tflite");
    add("three-labels", "tiny-float.tflite", { "labels.txt": "red\ngreen\nblue\n" });
    add("custom-op", "bad-custom-op.tflite", { "labels.txt": four });
    add("not-tflite", "README.md", { "labels.txt": four });
    add("wrong-hash", "tiny-float.tflite", { "labels.txt": four, "model.json": `{"sha256":"${"0".repeat(64)}"}` });
    add("wrong-spec", "tiny-float.tflite", { "labels.txt": four, "model.json": '{"crop":"middle"}' });
    add("my model", "tiny-float.tflite", { "labels.txt": four });
    labeler = await startLabeler({ models: folder, settings: { DEFAULT_MODEL: "float" } });
  });
  afterAll(async () => {
    await labeler.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(["float", "int8", "zipped"])("%s labels", async (name) => {
    const labels = await labelsOf(await post(`${labeler.url}/label?model=${name}`, coffee));
    expect(labels.length).toBe(4);
    expect(labels.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1, 1);
  });

  it.each([
    ["no-labels", /no labels: put labels\.txt/],
    ["three-labels", /labels\.txt has 3 lines, but the network has 4 classes/],
    ["custom-op", /CUSTOM Foo/],
    ["not-tflite", /not a TensorFlow Lite file/],
    ["wrong-hash", /SHA-256/],
    ["wrong-spec", /model\.json, crop/],
    ["my model", /name may have letters/],
  ])("%s is refused with an error that names the file and what is wrong with it", async (name, reason) => {
    const errors = (await indexModels(folder)).filter((entry) => entry.name === name);
    expect(errors[0].error).toMatch(reason);
    expect(errors[0].error).toContain(join(name, "model.tflite"));
    const response = await post(`${labeler.url}/label?model=${encodeURIComponent(name)}`, coffee);
    await expectProblem(response, 500, "model-unusable", reason);
  });
});
