/**
 * Bodies that are made to be expensive: each is refused quickly with its fault, and probes are answered meanwhile.
 * HOSTILE_CASES and HOSTILE_SEED change the number of random ones and the seed.
 */

import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { type Probe, probeDuring, waits } from "../../scripts/measure/probes.ts";
import { amount } from "../amount.ts";
import { fixture, type Label, labelsOf, post } from "./client.ts";
import { type HostileCase, hostileCase, MODEL } from "./hostile-json/generator.ts";
import { random } from "./hostile-json/random.ts";
import { tinyModels } from "./tiny-model.ts";

const CASES = Number(process.env.HOSTILE_CASES ?? amount(1000, 300));
const FRESH_SEED = Number(process.env.HOSTILE_SEED ?? Date.now() % 2 ** 31);

/** On an idle machine an answer takes below 1 s and a probe below 100 ms; these bounds hold on a busy one, too. */
const SLOWEST_ANSWER = 8_000;
const SLOWEST_PROBE = 5_000;
const SLOW_PROBE = 1_500;
const MEDIAN_PROBE = 300;

/** In bytes: what a caller sends comes back in part at the most. */
const LARGEST_ANSWER = 2048;

const models = tinyModels();
const good = fixture("coffee.png");
let labeler: RunningWorkerd;
let expected: Label[];
beforeAll(async () => {
  labeler = await startWorkerd({ models, settings: { DEFAULT_MODEL: MODEL } });
  expected = await labelsOf(await post(`${labeler.url}/label`, good));
});
afterAll(async () => {
  await labeler?.stop();
  rmSync(models, { recursive: true });
});

/** Nothing is labelled: a 4xx, or a 200 in which every image has its own error. */
function isRefusal(status: number, text: string): boolean {
  if (status >= 400 && status < 500) return true;
  if (status !== 200) return false;
  const answers = [JSON.parse(text)].flat();
  return answers.every(({ error }) => error !== undefined);
}

/** What an answer says is wrong, whatever the protocol. */
function messageOf(text: string): string {
  const { detail, error } = JSON.parse(text) as { detail?: string; error?: string };
  return detail ?? error ?? "";
}

/** Sends a hostile body. @returns What the answer says is wrong; "" for a list of answers. */
async function refused({ name, path, body, headers }: HostileCase): Promise<string> {
  const start = performance.now();
  const response = await post(labeler.url + path, body, headers);
  const text = await response.text();
  const milliseconds = performance.now() - start;
  const said = `${name}: ${response.status} ${text.slice(0, 500)} after ${milliseconds.toFixed(0)} ms`;
  expect(isRefusal(response.status, text), said).toBe(true);
  expect(milliseconds, said).toBeLessThan(SLOWEST_ANSWER);
  // A list has an answer for each of up to 100 images.
  if (response.status !== 200) expect(Buffer.byteLength(text), said).toBeLessThan(LARGEST_ANSWER);
  return messageOf(text);
}

function expectServed(probes: readonly Probe[]): void {
  const sorted = probes.map(({ ms }) => ms).sort((a, b) => a - b);
  expect(sorted[sorted.length >> 1], waits(probes)).toBeLessThan(MEDIAN_PROBE);
  expect(sorted[Math.floor(0.9 * (sorted.length - 1))], waits(probes)).toBeLessThan(SLOW_PROBE);
  expect(sorted.at(-1), waits(probes)).toBeLessThan(SLOWEST_PROBE);
}

const json = { "content-type": "application/json" };
const many = (part: string, bytes = 12_000_000) => part.repeat(Math.floor(bytes / Buffer.byteLength(part)));
const infer = `/v2/models/${MODEL}/infer`;
const tensor = (data: string, datatype = "UINT8", shape = "[1,7,5,3]") =>
  `{"inputs":[{"name":"image","datatype":"${datatype}","shape":${shape},"data":${data}}]}`;

describe("what cost seconds is refused at once, by the limit that it exceeds:", () => {
  const values = /more than [\d,]+ values, which is the limit/;
  const levels = /more than 8 levels of lists and objects, which is the limit/;
  const tooManyFields = Array.from({ length: 900_000 }, (_, i) => `"k${i}":1`).join();
  it.each<readonly [name: string, path: string, body: string, message: RegExp]>([
    ["100 KB of nested tensor", infer, tensor("[".repeat(50_000) + "]".repeat(50_000)), levels],
    ["a nested tensor with many values", infer, tensor(`${"[".repeat(3000)}${many("1,")}1${"]".repeat(3000)}`), levels],
    ["numbers in place of images", "/label", `{"images":[${many("1,")}1]}`, values],
    ["objects in place of images", "/label", `[${many('{"x":1},')}1]`, values],
    ["empty inputs", infer, `{"inputs":[${many("{},")}{}]}`, values],
    ["unknown fields", "/label", `{"image":"a",${tooManyFields}}`, values],
    [
      "parameters",
      infer,
      `{"parameters":{${tooManyFields}},"inputs":[]}`,
      /more than 1,000 fields, which is the limit/,
    ],
    ["brackets", "/label", many("["), levels],
    ["brackets for Hugging Face's task", `/models/${MODEL}`, `{"inputs":${many("[")}`, levels],
    ["a long shape", infer, tensor("[1]", "UINT8", `[${many("1,")}1]`), values],
    [
      "a shape of 20 dimensions",
      infer,
      tensor("[1]", "UINT8", `[${"1,".repeat(19)}1]`),
      /20 items in "shape".*limit is 16/,
    ],
    ["texts", "/label", `[${many('"",')}""]`, values],
    ["a wide tensor", infer, tensor(`[${many("1,")}1]`), /more than 4,194,304 numbers in "data", which is the limit/],
    ["a wide tensor of 4 MB", infer, tensor(`[${many("1,", 8e6)}1]`), /more values than its shape, which has 105/],
    ["white space", "/label", `[${many(" ")}]`, /more than 1,048,576 bytes beside its images, which is the limit/],
    ["escaped white space", "/label", `{"image":"${many("\\n")}"}`, /neither base64 nor/],
    ["what is no base64", "/label", `{"image":"${many("é")}"}`, /neither base64 nor/],
    ["one number", infer, tensor(`[${many("1")}]`), /not a valid list of numbers/],
  ])("%s", async (name, path, body, message) => {
    const { result, probes } = await probeDuring(labeler.url, () => refused({ name, path, body, headers: json }));
    expect(result).toMatch(message);
    expectServed(probes);
  });

  it("empty elements of a binary tensor", async () => {
    const elements = new Uint8Array(12_000_000);
    const head = `{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":${elements.length}}}]}`;
    const body = new Uint8Array(Buffer.concat([Buffer.from(head), elements]));
    const headers = { "inference-header-content-length": `${head.length}` };
    expect(await refused({ name: "elements", path: infer, body, headers })).toMatch(/more than 100 images.*MAX_IMAGES/);
  });

  it("fields of a form", async () => {
    const part = '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n';
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const fields = `${Array.from({ length: 200_000 }, (_, i) => part.replace('"f"', `"f${i}"`)).join("")}--b--\r\n`;
    expect(await refused({ name: "fields", path: "/label", body: fields, headers })).toMatch(
      /more than 164 parts.*100 images.*MAX_IMAGES/,
    );
    const twice = `${part.repeat(200_000)}--b--\r\n`;
    expect(await refused({ name: "a field again", path: "/label", body: twice, headers })).toMatch(/more than once/);
    const field = `${part.replace("x", many("漢"))}--b--\r\n`;
    expect(await refused({ name: "a large field", path: "/label", body: field, headers })).toMatch(
      /more than 4,096 bytes/,
    );
  });
});

describe("answers and the log repeat no more than a little of a request:", () => {
  const long = "n".repeat(60_000);
  const large = many("n");
  it.each<readonly [name: string, path: string, body: string]>([
    ["an unknown field", "/label", `{"image":"a","${large}":1}`],
    ["a syntax that is wrong", "/label", `{"image":${large}`],
    ["an id", infer, `{"id":"${large}","inputs":[]}`],
    ["the name of an input", infer, tensor("[1]").replace("image", long.slice(0, 1000))],
    ["a datatype", infer, tensor("[1]", long.slice(0, 1000))],
    ["a value", infer, tensor(`["${long.slice(0, 1000)}"]`)],
    ["a shape", infer, tensor("[1]", "UINT8", "[1000000000000000,1000000000000000,1000000000000000]")],
    [
      "an output",
      infer,
      `${tensor(`["${good.slice(0, 300).toString()}"]`, "BYTES").slice(0, -1)},"outputs":[{"name":"${long.slice(0, 1000)}"}]}`,
    ],
    ["a parameter", `/label?${long}=1`, "x"],
    ["a model", `/label?model=${long}`, "x"],
    ["a model in the path", `/models/${long}`, "x"],
    ["a version", `/v2/models/${MODEL}/versions/${long}/infer`, "x"],
    ["an address", `/${long}`, "x"],
    ["a time", `/ekuiper/sink?time=${long.slice(0, 40)}`, "x"],
    ["a field of a result", `/ekuiper/sink?meta-${long}=1`, "x"],
  ])("%s", async (name, path, body) => {
    const before = labeler.log().length;
    await refused({ name, path, body, headers: json });
    await expect.poll(() => labeler.log().slice(before)).toMatch(/\n$/);
    expect(labeler.log().length - before).toBeLessThan(LARGEST_ANSWER);
  });
});

describe("what is large and right is labelled:", () => {
  const image = Buffer.from(good).toString("base64");

  it.each([
    ["as JSON of PHP", `{"image":"${image.replaceAll("/", "\\/")}"}`],
    ["as JSON of .NET", `{"image":"${image.replaceAll("+", "\\u002B")}"}`],
    ["in lines", `{"image":"${image.replace(/.{76}/g, "$&\\n")}"}`],
    ["as a data URL with white space around", `\n\t{ "image" :\n"data:image/png;base64,${image}" }\n`],
  ])("an image %s", async (_, body) => {
    expect(await labelsOf(await post(`${labeler.url}/label`, body, json))).toEqual(expected);
  });

  it("a hundred images with long names", async () => {
    const small = Buffer.from(fixture("coffee-96.webp")).toString("base64");
    const images = Array.from({ length: 100 }, (_, i) => ({ name: `${i}`.padStart(255, "n"), image: small }));
    const response = await post(`${labeler.url}/label`, JSON.stringify({ images }, null, 2), json);
    const answers = (await response.json()) as { name: string; labels: Label[] }[];
    expect(answers.map(({ name }) => name)).toEqual(images.map(({ name }) => name));
    expect(answers.every(({ labels }) => labels.length === 4)).toBe(true);
  });
});

it("a tensor has neither NaN nor Infinity in it", async () => {
  const head = `{"inputs":[{"name":"image","datatype":"FP32","shape":[1,7,5,3],"parameters":{"binary_data_size":420}}]}`;
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const body = new Uint8Array(
      Buffer.concat([Buffer.from(head), new Uint8Array(new Float32Array(105).fill(value).buffer)]),
    );
    const headers = { "inference-header-content-length": `${head.length}` };
    const message = await refused({ name: `${value}`, path: infer, body, headers });
    expect(message).toMatch(/(NaN|Infinity) in it; FP32 takes numbers/);
  }
  for (const value of ["1e39", "1e999", "-1e39"]) {
    const body = tensor(`[${Array(105).fill(value)}]`, "FP32");
    expect(await refused({ name: value, path: infer, body, headers: json })).toMatch(/in it; FP32 takes numbers/);
  }
  expect(await refused({ name: "NaN", path: infer, body: tensor("[NaN]", "FP32"), headers: json })).toMatch(
    /NaN or Infinity/,
  );
});

it.each([
  ["a fixed seed", 1],
  ["a fresh seed", FRESH_SEED],
])(
  `${CASES / 2} hostile bodies from %s, %i, are refused, and probes are answered meanwhile`,
  async (_, seed) => {
    console.log(`HOSTILE_SEED=${seed}`);
    const source = random(seed);
    const before = labeler.log().length;
    const { probes } = await probeDuring(labeler.url, async () => {
      for (let n = 0; n < CASES / 2; n++) await refused(hostileCase(source));
    });
    console.log(`probes: ${waits(probes)}`);
    expectServed(probes);
    expect(await labelsOf(await post(`${labeler.url}/label`, good))).toEqual(expected);
    const lines = labeler.log().slice(before).trimEnd().split("\n");
    expect(lines.filter((line) => line.length > LARGEST_ANSWER || !line.startsWith("{"))).toEqual([]);
  },
  300_000,
);
