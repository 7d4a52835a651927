/** Models from outside: the list, the first requests to a cold model, and models of users. */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { indexModels } from "../../scripts/build/model-index.ts";
import { type RunningLabeler, startLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { MAX_ASSET_BYTES } from "../../worker/model/index-entry.ts";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";

const coffee = fixture("coffee.png");

describe("a cold labeler", () => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await startWorkerd();
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
        precisions: ["quantised"],
        precision: "quantised",
        engine: "plan",
      },
      {
        name: "mobilenet_v1_1.0_224",
        default: true,
        licence: "Apache-2.0",
        precisions: ["exact", "fast"],
        crop: "squash",
      },
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

describe("precisions", () => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await startWorkerd();
  });
  afterAll(() => labeler?.stop());
  const ask = async (query: string) => labelsOf(await post(`${labeler.url}/label?${query}`, coffee));

  it("is the model's own where none is asked for", async () => {
    const models = (await (await fetch(`${labeler.url}/models`)).json()) as { name: string; precision: string }[];
    for (const { name, precision } of models) {
      expect(await ask(`model=${name}`)).toEqual(await ask(`model=${name}&precision=${precision}`));
    }
  });

  it.each(["mobilenet_v1_1.0_224", "efficientnet_lite0"])(
    "%s is computed otherwise if fast, to the same label",
    async (name) => {
      const [exact, fast] = [await ask(`model=${name}&precision=exact`), await ask(`model=${name}&precision=fast`)];
      expect(fast[0].label).toBe(exact[0].label);
      expect(fast[0].confidence).not.toBe(exact[0].confidence);
      expect(Math.abs(fast[0].confidence - exact[0].confidence)).toBeLessThan(0.05);
    },
  );

  it.each([
    ["model=mobilenet_v1_1.0_224&precision=quantised", /can be exact or fast, not quantised/],
    ["model=mobilenet_quant_v1_224&precision=fast", /can be quantised, not fast/],
    ["precision=half", /precision: .*exact.*fast.*quantised/],
  ])("%s is refused with those that there are", async (query, reason) => {
    for (const path of ["label", "ekuiper/labelText"]) {
      const response = await post(`${labeler.url}/${path}?${query}`, coffee);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { detail: string }).detail).toMatch(reason);
    }
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
    add("gated", "tiny-gated.tflite", { "labels.txt": four });
    add("fast", "tiny-float.tflite", { "labels.txt": four, "model.json": '{"precision":"fast"}' });
    add("wrong-precision", "tiny-int8.tflite", { "labels.txt": four, "model.json": '{"precision":"fast"}' });
    add("three-labels", "tiny-float.tflite", { "labels.txt": "red\ngreen\nblue\n" });
    add("custom-op", "bad-custom-op.tflite", { "labels.txt": four });
    add("not-tflite", "README.md", { "labels.txt": four });
    add("wrong-hash", "tiny-float.tflite", { "labels.txt": four, "model.json": `{"sha256":"${"0".repeat(64)}"}` });
    add("wrong-spec", "tiny-float.tflite", { "labels.txt": four, "model.json": '{"crop":"middle"}' });
    add("my model", "tiny-float.tflite", { "labels.txt": four });
    add("large", "tiny-float.tflite", { "labels.txt": four });
    appendFileSync(join(folder, "large", "model.tflite"), new Uint8Array(MAX_ASSET_BYTES));
    labeler = await startWorkerd({ models: folder, settings: { DEFAULT_MODEL: "float" } });
  });
  afterAll(async () => {
    await labeler.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(["float", "int8", "zipped", "gated", "fast"])("%s labels", async (name) => {
    const labels = await labelsOf(await post(`${labeler.url}/label?model=${name}`, coffee));
    expect(labels.length).toBe(4);
    expect(labels.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1, 1);
  });

  it.each([
    ["three-labels", /labels\.txt has 3 lines, but the network has 4 classes/],
    ["custom-op", /gives a value for each place/],
    ["not-tflite", /not a TensorFlow Lite file/],
    ["wrong-hash", /SHA-256/],
    ["wrong-precision", /model\.json, precision: the model can be quantised/],
    ["wrong-spec", /model\.json, crop/],
    ["my model", /name may have letters/],
  ])("%s is refused with an error that names the file and what is wrong with it", async (name, reason) => {
    const errors = (await indexModels(folder)).filter((entry) => entry.name === name);
    expect(errors[0].error).toMatch(reason);
    expect(errors[0].error).toContain(join(name, "model.tflite"));
    const response = await post(`${labeler.url}/label?model=${encodeURIComponent(name)}`, coffee);
    await expectProblem(response, 500, "model-unusable", reason);
  });

  it("one that is larger than what Cloudflare serves labels on workerd alone, and is refused by wrangler with the ways out", async () => {
    const reason = /large\/model\.tflite has 25 MiB.* quantisation.* npm run serve/;
    expect((await labelsOf(await post(`${labeler.url}/label?model=large`, coffee))).length).toBe(4);
    const wrangler = await startLabeler({ models: folder });
    try {
      await expectProblem(await post(`${wrangler.url}/label?model=large`, coffee), 500, "model-unusable", reason);
    } finally {
      await wrangler.stop();
    }
  });

  it("says of each in which precision it is computed and what computes it", async () => {
    const describe = async (name: string) => (await fetch(`${labeler.url}/models/${name}`)).json();
    const plan = { engine: "plan", precisions: ["exact", "fast"] };
    expect(await describe("float")).toMatchObject({ ...plan, precision: "exact" });
    expect(await describe("fast")).toMatchObject({ ...plan, precision: "fast" });
    expect(await describe("int8")).toMatchObject({ engine: "plan", precisions: ["quantised"], precision: "quantised" });
    const reason = expect.stringMatching(/MUL/);
    expect(await describe("gated")).toMatchObject({ engine: "tfjs", precisions: ["exact"], noPlan: reason });
  });
});
