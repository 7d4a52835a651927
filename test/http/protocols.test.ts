/**
 * The protocols of other labelers, tested against their own specifications: the Open Inference Protocol with Triton's
 * extensions for binary tensors and classification, and Hugging Face's image-classification task. The same image gets
 * the same label and score through each of them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { fixture, labelsOf, post } from "./client.ts";

const MODEL = "mobilenet_v1_1.0_224";
const QUANTISED = "mobilenet_quant_v1_224";
const coffee = fixture("coffee.png");
const chelsea = fixture("chelsea.png");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  data: (number | string)[];
  parameters?: { binary_data_size?: number };
}

interface Inference {
  model_name: string;
  model_version: string;
  id?: string;
  outputs: Tensor[];
}

let labeler: RunningLabeler;
let url: string;

beforeAll(async () => {
  labeler = await startWorkerd({ settings: { MAX_IMAGES: "8" } });
  ({ url } = labeler);
});
afterAll(() => labeler.stop());

const json = (path: string, body: unknown): Promise<Response> =>
  post(url + path, JSON.stringify(body), { "content-type": "application/json" });

async function ok<T>(response: Response): Promise<T> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as T;
}

async function refused(response: Response, status: number, message: RegExp): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/json");
  const body = JSON.parse(text);
  expect(Object.keys(body)).toEqual(["error"]);
  expect(body.error).toMatch(message);
}

const bytesInput = (...images: Uint8Array[]) => ({
  name: "image",
  datatype: "BYTES",
  shape: [images.length],
  data: images.map(base64),
});

const outputOf = ({ outputs }: Inference, name: string): Tensor => {
  const output = outputs.find((tensor) => tensor.name === name);
  if (output === undefined) throw new Error(`no output ${name}`);
  return output;
};

/** Pixels [224, 224, 3] of all one colour, and the file of such an image: what needs no resize to be compared. */
const SIDE = 224;
const colour = [200, 40, 90];
const pixels = new Uint8Array(SIDE * SIDE * 3).map((_, i) => colour[i % 3] ?? 0);

function bmp(): Uint8Array<ArrayBuffer> {
  const file = Buffer.alloc(54 + pixels.length);
  file.write("BM");
  for (const [at, value] of [
    [2, file.length],
    [10, 54],
    [14, 40],
    [18, SIDE],
    [22, SIDE],
  ] as const)
    file.writeUInt32LE(value, at);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let i = 0; i < pixels.length; i += 3) file.set([colour[2] ?? 0, colour[1] ?? 0, colour[0] ?? 0], 54 + i);
  return new Uint8Array(file);
}

describe("the Open Inference Protocol", () => {
  const infer = (body: unknown, model = MODEL, query = "") => json(`/v2/models/${model}/infer${query}`, body);

  it("has the probes and metadata that clients ask for first", async () => {
    expect(await ok(await fetch(`${url}/v2/health/live`))).toEqual({ live: true });
    expect(await ok(await fetch(`${url}/v2/health/ready`))).toEqual({ ready: true });
    expect(await ok(await fetch(`${url}/v2`))).toMatchObject({ name: "edge-labeler", extensions: expect.any(Array) });
    for (const version of ["", "/versions/1"]) {
      expect(await ok(await fetch(`${url}/v2/models/${MODEL}${version}/ready`))).toEqual({ name: MODEL, ready: true });
      expect(await ok(await fetch(`${url}/v2/models/${MODEL}${version}`))).toEqual({
        name: MODEL,
        versions: ["1"],
        platform: "tensorflow_lite",
        inputs: [{ name: "image", datatype: "BYTES", shape: [-1] }],
        outputs: [
          { name: "labels", datatype: "BYTES", shape: [-1, -1] },
          { name: "confidences", datatype: "FP32", shape: [-1, -1] },
          { name: "probabilities", datatype: "FP32", shape: [-1, 1001] },
          { name: "features", datatype: "FP32", shape: [-1, 1024] },
        ],
      });
    }
  });

  it("infers image files in base64, several at once, with the labels and confidences of /label", async () => {
    const answer = await ok<Inference>(
      await infer({ id: "7", inputs: [bytesInput(coffee, chelsea)] }, MODEL, "?top=2"),
    );
    expect(answer).toMatchObject({ model_name: MODEL, model_version: "1", id: "7" });
    const expected = await Promise.all(
      [coffee, chelsea].map(async (image) => labelsOf(await post(`${url}/label?top=2`, image))),
    );
    expect(outputOf(answer, "labels")).toEqual({
      name: "labels",
      datatype: "BYTES",
      shape: [2, 2],
      data: expected.flat().map(({ label }) => label),
    });
    expect(outputOf(answer, "confidences").data).toEqual(expected.flat().map(({ confidence }) => confidence));
    const { shape, data } = outputOf(answer, "probabilities");
    expect(shape).toEqual([2, 1001]);
    expect(data).toHaveLength(2002);
    expect(Math.max(...data.slice(0, 1001).map(Number))).toBe(expected[0]?.[0]?.confidence);
    expect(data.slice(0, 1001).reduce<number>((sum, value) => sum + Number(value), 0)).toBeCloseTo(1, 4);
  });

  it("infers pixels and normalised values, nested or flat, as the same picture in a file", async () => {
    const [expected] = await labelsOf(await post(`${url}/label`, bmp()));
    const shape = [1, SIDE, SIDE, 3];
    const rows = Array.from({ length: SIDE }, () => Array.from({ length: SIDE }, () => colour));
    const normalised = Array.from(pixels, (pixel) => Math.fround((pixel - 127.5) / 127.5));
    for (const input of [
      { name: "image", datatype: "UINT8", shape, data: [...pixels] },
      { name: "image", datatype: "UINT8", shape: [SIDE, SIDE, 3], data: rows },
      { name: "image", datatype: "FP32", shape, data: normalised },
    ]) {
      const answer = await ok<Inference>(
        await infer({ inputs: [input], outputs: [{ name: "labels" }, { name: "confidences" }] }),
      );
      expect(answer.outputs.map(({ name }) => name)).toEqual(["labels", "confidences"]);
      expect(outputOf(answer, "labels").data[0]).toBe(expected?.label);
      expect(Number(outputOf(answer, "confidences").data[0])).toBeCloseTo(expected?.confidence ?? -1, 6);
    }
  });

  it("takes and gives binary tensors, as Triton's clients send them", async () => {
    const head = (bytes: number) =>
      JSON.stringify({
        inputs: [{ name: "image", datatype: "BYTES", shape: [1], parameters: { binary_data_size: bytes } }],
        outputs: [
          { name: "labels", parameters: { classification: 3, binary_data: false } },
          { name: "confidences", parameters: { binary_data: true } },
          { name: "labels", parameters: { binary_data: true } },
        ],
      });
    const element = Buffer.alloc(4 + coffee.length);
    element.writeUInt32LE(coffee.length);
    element.set(coffee, 4);
    const request = head(element.length);
    const response = await post(`${url}/v2/models/${MODEL}/infer`, Buffer.concat([Buffer.from(request), element]), {
      "inference-header-content-length": String(request.length),
    });
    const body = Buffer.from(await response.arrayBuffer());
    expect(response.status, body.toString("latin1")).toBe(200);
    const length = Number(response.headers.get("inference-header-content-length"));
    const { outputs } = JSON.parse(body.subarray(0, length).toString()) as Inference;
    const expected = await labelsOf(await post(`${url}/label`, coffee));
    const classified = expected
      .slice(0, 3)
      .map(({ confidence, label }) => `${confidence}:${Number.parseInt(label, 10)}:${label}`);
    expect(outputs[0]?.data).toEqual(classified);
    let at = length;
    const size = outputs[1]?.parameters?.binary_data_size ?? 0;
    const confidences = new Float32Array(new Uint8Array(body.subarray(at, at + size)).buffer);
    expect([...confidences]).toEqual(expected.map(({ confidence }) => confidence));
    at += size;
    const labels: string[] = [];
    while (at < body.length) {
      const end = at + 4 + body.readUInt32LE(at);
      labels.push(body.subarray(at + 4, end).toString());
      at = end;
    }
    expect(labels).toEqual(expected.map(({ label }) => label));
  });

  const input = { name: "image", datatype: "UINT8", shape: [1, SIDE, SIDE, 3] };
  it.each([
    ["no JSON", "{", /is not valid JSON: Expected property name/],
    ["no inputs", {}, /inputs: is missing/],
    ["inputs that are no list", { inputs: 7, id: 1 }, /id: must be a string; inputs: must be a list/],
    ["two inputs", { inputs: [bytesInput(), bytesInput()] }, /one input, "image"/],
    ["another name", { inputs: [{ ...bytesInput(coffee), name: "x" }] }, /one input, "image"; the request has x/],
    ["another type", { inputs: [{ ...input, datatype: "INT64", data: [] }] }, /must be BYTES, UINT8 or FP32/],
    ["no data", { inputs: [input] }, /neither "data" nor "binary_data_size"/],
    ["too few values", { inputs: [{ ...input, data: [1, 2] }] }, /has 150528 values; that is more than the body/],
    [
      "another shape",
      { inputs: [{ ...input, shape: [1, 2, 2, 3], data: new Array(12).fill(0) }] },
      /takes \[images, 224, 224, 3\]/,
    ],
    ["a value out of range", { inputs: [{ ...input, shape: [1, 1, 1, 3], data: [1, 2, 256] }] }, /256 in it; UINT8/],
    ["a huge shape", { inputs: [{ ...input, shape: [1e6, 224, 224, 3], data: [] }] }, /more than the body has bytes/],
    ["no images", { inputs: [bytesInput()] }, /no images/],
    ["no base64", { inputs: [{ ...bytesInput(coffee), data: ["*"] }] }, /base64/],
    ["an unknown output", { inputs: [bytesInput(coffee)], outputs: [{ name: "logits" }] }, /no output "logits"/],
  ])("refuses %s and says why", async (_, body, message) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    await refused(await post(`${url}/v2/models/${MODEL}/infer`, text), 400, message);
  });

  it("refuses what does not fit the model, the limits or the address", async () => {
    const floats = {
      name: "image",
      datatype: "FP32",
      shape: [1, SIDE, SIDE, 3],
      data: new Array(pixels.length).fill(0),
    };
    await refused(await infer({ inputs: [floats] }, QUANTISED), 400, /quantised: send pixels/);
    await refused(await infer({ inputs: [bytesInput(coffee)] }, "nosuch"), 404, /no model "nosuch"/);
    await refused(await fetch(`${url}/v2/models/${MODEL}/versions/2`), 404, /no version "2"/);
    await refused(await infer({ inputs: [bytesInput(new TextEncoder().encode("text"))] }), 415, /JPEG, PNG/);
    await refused(await infer({ inputs: [bytesInput(coffee)] }, MODEL, "?min=0.5"), 400, /min: /);
    await refused(await infer({ inputs: [bytesInput(coffee)] }, MODEL, "?model=x"), 400, /model: is in the path/);
    const many = Array.from({ length: 9 }, () => bmp().subarray(0, 60));
    await refused(await infer({ inputs: [bytesInput(...many)] }), 413, /MAX_IMAGES/);
    const wrong = { "inference-header-content-length": "999999" };
    await refused(await post(`${url}/v2/models/${MODEL}/infer`, "{}", wrong), 400, /Inference-Header-Content-Length/);
  });
});

describe("Hugging Face's image-classification task", () => {
  const ask = (body: unknown, model = MODEL) => json(`/models/${model}`, body);
  const scoresOf = async (response: Promise<Response>) => ok<{ label: string; score: number }[]>(await response);

  it("labels raw bytes and base64 alike, with the labels and scores of /label", async () => {
    const expected = (await labelsOf(await post(`${url}/label`, coffee))).map(({ label, confidence }) => ({
      label,
      score: confidence,
    }));
    expect(await scoresOf(post(`${url}/models/${MODEL}`, coffee))).toEqual(expected);
    expect(await scoresOf(ask({ inputs: base64(coffee) }))).toEqual(expected);
    const parameters = { top_k: 2, function_to_apply: "softmax" };
    expect(await scoresOf(ask({ inputs: base64(coffee), parameters }))).toEqual(expected.slice(0, 2));
    expect((await scoresOf(ask({ inputs: `data:image/png;base64,${base64(chelsea)}` }, QUANTISED)))[0]?.label).toBe(
      "286:Egyptian cat",
    );
  });

  it.each([
    ["no image", { inputs: 7 }, 400, /inputs: must be a string/],
    ["no base64", { inputs: "*" }, 400, /base64/],
    ["another function", { inputs: base64(coffee), parameters: { function_to_apply: "none" } }, 400, /must be softmax/],
    ["no labels at all", { inputs: base64(coffee), parameters: { top_k: 0 } }, 400, /top_k: must be at least 1/],
    ["what is no image", { inputs: base64(new TextEncoder().encode("text")) }, 415, /JPEG, PNG/],
  ])("refuses %s and says why", async (_, body, status, message) => {
    await refused(await ask(body), status, message);
  });

  it("says which models there are where one is not", async () => {
    await refused(await post(`${url}/models/nosuch`, coffee), 404, /Installed: /);
  });
});
