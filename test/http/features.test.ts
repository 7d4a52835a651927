/** /features, and the output `features` of the Open Inference Protocol, on wrangler and on workerd. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { readStatistics } from "../../worker/teaching/statistics-file.ts";
import { expectProblem } from "./client.ts";
import { RUNTIMES } from "./runtimes.ts";
import { addTiny } from "./tiny-model.ts";

const coffee = readFileSync("test/fixtures/coffee.png");
const chelsea = readFileSync("test/fixtures/chelsea.png");
const LITE = "efficientnet_lite0";
const PARTS = "pooled=1280,maxima=1280,late=192,early=112,probabilities=1000";

const models = mkdtempSync(join(tmpdir(), "edge-labeler-features-"));
mkdirSync(join(models, LITE));
cpSync(join("model-assets", LITE), join(models, LITE), { recursive: true });
addTiny(models, "tiny");
addTiny(models, "tinier", { file: "tiny-uint8.tflite" });
afterAll(() => rmSync(models, { recursive: true }));

const product = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

describe.each(RUNTIMES)("features, %s", (_, start) => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await start({ models, settings: { DEFAULT_MODEL: LITE } });
  });
  afterAll(() => labeler.stop());

  const post = (query: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${labeler.url}/features${query}`, { method: "POST", body, headers });
  const vectorOf = async (body: BodyInit) => (await (await post("", body)).json()) as number[];

  it("are a vector of length 1, in JSON and as 32-bit floats", async () => {
    const response = await post("", coffee);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-features")).toBe("pooled=1280");
    const vector = (await response.json()) as number[];
    expect(vector).toHaveLength(1280);
    expect(product(vector, vector)).toBeCloseTo(1, 5);
    const raw = await post("", coffee, { accept: "application/octet-stream" });
    expect(raw.headers.get("content-type")).toBe("application/octet-stream");
    expect([...new Float32Array(await raw.arrayBuffer())]).toEqual(vector);
  });

  it("are alike for images that are alike, whatever the form of the body", async () => {
    const [cup, cat] = [await vectorOf(coffee), await vectorOf(chelsea)];
    const form = new FormData();
    form.set("image", new Blob([coffee]));
    expect(await vectorOf(form)).toEqual(cup);
    const photo = await vectorOf(readFileSync("test/fixtures/coffee-96.webp"));
    expect(product(cup, photo)).toBeGreaterThan(product(cup, cat) + 0.2);
  });

  it("are all parts of which heads are taught with parts=all", async () => {
    const response = await post("?parts=all&precision=exact", coffee);
    expect(response.headers.get("x-features")).toBe(PARTS);
    const parts = (await response.json()) as Record<string, number[]>;
    expect(Object.keys(parts)).toEqual(["pooled", "maxima", "late", "early", "probabilities"]);
    const { pooled = [], maxima = [], probabilities = [] } = parts;
    for (const [c, value] of pooled.entries()) expect(value).toBeLessThanOrEqual((maxima[c] ?? 0) + 1e-6);
    const labels = await fetch(`${labeler.url}/label?precision=exact&top=1`, { method: "POST", body: coffee });
    const [best] = (await labels.json()) as { confidence: number }[];
    expect(Math.max(...probabilities)).toBeCloseTo(best?.confidence ?? 0, 6);
    const raw = await post("?parts=all&precision=exact", coffee, { accept: "application/octet-stream" });
    expect([...new Float32Array(await raw.arrayBuffer())]).toEqual(Object.values(parts).flat());
  });

  it("are of small and of quantised networks, too", async () => {
    for (const model of ["tiny", "tinier"]) {
      const vector = (await (await post(`?model=${model}`, coffee)).json()) as number[];
      expect(product(vector, vector)).toBeCloseTo(1, 5);
    }
  });

  it("are refused with the cause: several images, strange parameters, no image, unknown model", async () => {
    const form = new FormData();
    form.append("image", new Blob([coffee]));
    form.append("image", new Blob([chelsea]));
    await expectProblem(await post("", form), 400, "bad-body", /takes one image/);
    await expectProblem(await post("?top=3", coffee), 400, "bad-parameter", /There is no parameter "?top/);
    await expectProblem(await post("?parts=some", coffee), 400, "bad-parameter", /parts/);
    await expectProblem(await post("", "text"), 415, "unsupported-image", /\w/);
    await expectProblem(await post("?model=none", coffee), 404, "unknown-model", /Installed: /);
  });

  it("are an output of the Open Inference Protocol where it is asked for", async () => {
    const { outputs } = (await (await fetch(`${labeler.url}/v2/models/${LITE}`)).json()) as { outputs: object[] };
    expect(outputs).toContainEqual({ name: "features", datatype: "FP32", shape: [-1, 1280] });
    const images = [coffee, chelsea].map((image) => image.toString("base64"));
    const infer = async (names?: string[]) => {
      const response = await fetch(`${labeler.url}/v2/models/${LITE}/infer`, {
        method: "POST",
        body: JSON.stringify({
          inputs: [{ name: "image", datatype: "BYTES", shape: [2], data: images }],
          ...(names && { outputs: names.map((name) => ({ name })) }),
        }),
      });
      return ((await response.json()) as { outputs: { name: string; shape: number[]; data: number[] }[] }).outputs;
    };
    expect((await infer()).map(({ name }) => name)).toEqual(["labels", "confidences", "probabilities"]);
    const [features, labels] = await infer(["features", "labels"]);
    expect(features).toMatchObject({ name: "features", shape: [2, 1280] });
    expect(labels?.name).toBe("labels");
    expect(features?.data.slice(0, 1280)).toEqual(await vectorOf(coffee));
    expect(features?.data.slice(1280)).toEqual(await vectorOf(chelsea));
  });
});

it("every included model has statistics of its own network", async () => {
  for (const name of readdirSync("model-assets", { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? one.name : [],
  )) {
    const folder = join("model-assets", name);
    const { statistics, notes } = readStatistics(readFileSync(join(folder, "features.json"), "utf8"));
    const digest = createHash("sha256")
      .update(readFileSync(join(folder, "model.tflite")))
      .digest("hex");
    expect(notes).toMatchObject({ sha256: digest, photos: expect.any(Number) });
    expect(notes.photos).toBeGreaterThanOrEqual(500);
    expect(statistics.late.mean.length).toBeGreaterThan(statistics.early.mean.length);
  }
});

it("GET /models says how long they are", async () => {
  const { indexModels } = await import("../../scripts/build/model-index.ts");
  const found = (await indexModels(models)).find(({ name }) => name === LITE);
  expect(found?.features).toBe(1280);
});
