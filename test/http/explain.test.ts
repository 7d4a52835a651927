/**
 * Explanations: a picture of the places that count for a label, alone or with the label, and networks that do not allow
 * one.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import UPNG from "upng-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MODELS } from "../../scripts/build/model-index.ts";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { expectProblem, fixture, type Label, labelsOf, post } from "./client.ts";

const coffee = fixture("coffee.png");
const chelsea = fixture("chelsea.png");
const models = mkdtempSync(join(tmpdir(), "explained-models-"));

interface Picture {
  width: number;
  height: number;
  /** RGBA. */
  data: Uint8Array;
}

async function pictureOf(response: Response): Promise<Picture> {
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("image/png");
  const image = UPNG.decode(await response.arrayBuffer());
  return { width: image.width, height: image.height, data: new Uint8Array(UPNG.toRGBA8(image)[0]) };
}

/** The middle of what is redder than it was, as parts of the width and the height. */
function warmest({ width, height, data }: Picture, before: Picture): { x: number; y: number } {
  let [sum, left, down] = [0, 0, 0];
  for (let i = 0; i < width * height; i++) {
    const warmer = data[4 * i] - data[4 * i + 2] - (before.data[4 * i] - before.data[4 * i + 2]);
    if (warmer < 40) continue;
    sum += warmer;
    left += warmer * (i % width);
    down += warmer * Math.floor(i / width);
  }
  return { x: left / sum / width, y: down / sum / height };
}

beforeAll(() => {
  cpSync(resolve(MODELS, "mobilenet_v1_1.0_224"), join(models, "mobilenet_v1_1.0_224"), { recursive: true });
  cpSync(resolve(MODELS, "mobilenet_quant_v1_224"), join(models, "mobilenet_quant_v1_224"), { recursive: true });
  // A network that has no compiled plan.
  mkdirSync(join(models, "gated"));
  cpSync("test/fixtures/ops/tiny-gated.tflite", join(models, "gated", "model.tflite"));
  writeFileSync(join(models, "gated", "labels.txt"), "red\ngreen\nblue\ngrey\n");
});
afterAll(() => rmSync(models, { recursive: true }));

describe("explain", () => {
  let labeler: RunningLabeler;
  let url: string;
  beforeAll(async () => {
    labeler = await startWorkerd({ models });
    url = `${labeler.url}/label`;
  });
  afterAll(() => labeler.stop());

  it("gives an opaque picture in the image's shape", async () => {
    const cat = await pictureOf(await post(`${url}?explain=1`, chelsea, { accept: "image/png" }));
    expect([cat.width, cat.height]).toEqual([515, 343]);
    expect(cat.data.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255)).toBe(true);
    const square = await pictureOf(await post(`${url}?explain=1&crop=center`, chelsea, { accept: "image/png" }));
    expect([square.width, square.height]).toEqual([420, 420]);
  });

  it("shows different places for different labels", async () => {
    const first = await pictureOf(await post(`${url}?explain=1`, coffee, { accept: "image/png" }));
    const second = await pictureOf(await post(`${url}?explain=5`, coffee, { accept: "image/png" }));
    const apart = warmest(first, second);
    expect(apart.x).toBeGreaterThan(0.2);
    expect(apart.x).toBeLessThan(0.65);
    expect(apart.y).toBeGreaterThan(0.15);
    expect(apart.y).toBeLessThan(0.8);
  });

  it.each(["mobilenet_v1_1.0_224", "mobilenet_quant_v1_224"])("stands beside the label in JSON: %s", async (model) => {
    const plain = await labelsOf(await post(`${url}?model=${model}`, coffee));
    const labels = await labelsOf(await post(`${url}?model=${model}&explain=2`, coffee));
    expect(labels.map(({ label, confidence }) => ({ label, confidence }))).toEqual(plain);
    const explanations = labels.map((label) => (label as Label & { explanation?: string }).explanation);
    expect(explanations.map((text) => text !== undefined)).toEqual([false, true, false, false, false]);
    const alone = await post(`${url}?model=${model}&explain=2`, coffee, { accept: "image/png" });
    expect(explanations[1]).toBe(Buffer.from(await alone.arrayBuffer()).toString("base64"));
  });

  it("is refused where there is no such thing", async () => {
    await expectProblem(await post(`${url}?model=gated&explain=1`, coffee), 422, "no-explanation", /\w/);
    await expectProblem(
      await post(`${url}?explain=0`, coffee),
      400,
      "bad-parameter",
      /explain: must be 1 for the top-1 label/,
    );
    await expectProblem(await post(`${url}?explain=6`, coffee), 400, "bad-parameter", /at most top, which is 5/);
    const two = JSON.stringify([Buffer.from(coffee).toString("base64"), Buffer.from(coffee).toString("base64")]);
    await expectProblem(await post(`${url}?explain=1`, two), 400, "bad-body", /one image/);
    await expectProblem(await post(`${url}?explain=1`, "text"), 415, "unsupported-image", /JPEG/);
  });
});
