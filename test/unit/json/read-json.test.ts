/** What readJson() accepts and refuses, and its messages. */
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { LabelerError } from "../../../worker/errors.ts";
import type { JsonLimits } from "../../../worker/json/json-limits.ts";
import { NumberList } from "../../../worker/json/number-list.ts";
import { readJson } from "../../../worker/json/read-json.ts";
import type { Execute } from "../../../worker/runtime/execute.ts";
import { atOnce } from "../../../worker/runtime/execute.ts";
import { LongText } from "../../../worker/validation/long-text.ts";

const LIMITS: JsonLimits = {
  subject: "The JSON",
  advice: "Send less.",
  depth: 4,
  values: 100,
  fields: 20,
  bytes: 10_000,
  tensor: { field: "data", numbers: 1000 },
};

const bytesOf = (json: string) => new TextEncoder().encode(json);
const read = (json: string, execute: Execute = atOnce) => readJson(bytesOf(json), LIMITS, z.unknown(), execute);

async function refusal(json: string): Promise<string> {
  const error = await read(json).then(
    (value) => `passed as ${JSON.stringify(value)}`,
    (error: unknown) => error,
  );
  if (!(error instanceof LabelerError)) throw error;
  return `${error.status} ${error.message}`;
}

const textOf = (value: unknown) => (value instanceof LongText ? [...value.parts()].join("") : value);

async function numbersOf(value: unknown): Promise<number[]> {
  if (!(value instanceof NumberList)) throw new Error(`no list of numbers: ${JSON.stringify(value)}`);
  const target = new Float32Array(1000);
  const { count } = await value.readInto(target, () => true, atOnce);
  return [...target.subarray(0, count)];
}

describe("JSON within the limits is what JSON.parse() makes of it:", () => {
  it.each([
    '{"image":"QUJD","n":[1,2.5e3,-1],"nested":{"a":[{"b":null}]},"t":true}',
    '"QUJD"',
    " [ ] ",
    '{"":"","__proto__":1,"constructor":{"a":"\\u00e9\\n\\\\","b":"[{,:\\"}]"}}',
    '{"data":[]}',
    '{"data":["a",["b"]]}',
    '{"data":[[1],[]]}',
    '{"data":[1,null]}',
    '{"data":{"data":"x"}}',
    '"é漢😀"',
  ])("%s", async (json) => {
    expect(await read(json)).toEqual(JSON.parse(json));
  });

  it("long texts are kept as bytes, escapes and all, wherever they stand", async () => {
    const text = "QUJD/+==\n".repeat(40_000);
    const escaped = JSON.stringify(text).replaceAll("/", "\\/").replaceAll("+", "\\u002b");
    const { image, list, again } = (await read(`{"image":${escaped},"list":[1,${escaped}],"again":"x"}`)) as {
      image: unknown;
      list: unknown[];
      again: unknown;
    };
    expect(textOf(image)).toBe(text);
    expect(list.map(textOf)).toEqual([1, text]);
    expect(again).toBe("x");
  });

  it("lists of numbers in the field of tensors are read row by row", async () => {
    const { data, other } = (await read('{"data": [ [1, -2.5e-1],\n[3,4] ] ,"other":[1]}')) as Record<string, unknown>;
    expect(await numbersOf(data)).toEqual([1, -0.25, 3, 4]);
    expect(other).toEqual([1]);
  });

  it("and so are lists of more than one stretch", async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `[${i}.${"0".repeat(400)}, ${i}]`);
    const { data } = (await read(`{"data":[${rows}]}`)) as Record<string, unknown>;
    expect(await numbersOf(data)).toEqual(rows.flatMap((_, i) => [i, i]));
  });
});

describe("JSON beyond a limit is a 4xx that names it:", () => {
  it.each([
    [
      "depth",
      "[".repeat(5),
      "400 The JSON has more than 4 levels of lists and objects, which is the limit. Send less.",
    ],
    ["depth of a tensor", `{"data":${"[".repeat(4)}1`, /^400 .*more than 4 levels/],
    ["values of a list", `[${"1,".repeat(200)}1]`, /^400 The JSON has more than 100 values/],
    ["lists in a list", `[${"[],".repeat(200)}1]`, /^400 .*more than 100 values/],
    ["values of a tensor that is none", `{"data":[${"1,".repeat(200)}"a"]}`, /^400 .*more than 100 values/],
    ["empty lists in a tensor", `{"data":[${"[],".repeat(200)}1]}`, /^400 .*more than 100 values/],
    ["fields", `{${Array.from({ length: 30 }, (_, i) => `"k${i}":1`)}}`, /^400 .*more than 20 fields/],
    ["texts without commas", '""'.repeat(200), /^400 .*more than 120 texts/],
    ["the length of a field's name", `{"${"k".repeat(300)}":1}`, /^400 .*more than 256 bytes in the name of a field/],
    ["and of a long one", `{"${"k".repeat(5000)}":1}`, /^400 .*more than 256 bytes in the name of a field/],
    ["white space", `[${" ".repeat(20_000)}]`, /^413 .*more than 10,000 bytes beside its images and tensors/],
    ["a number", `[${"1".repeat(20_000)}]`, /^413 .*more than 10,000 bytes/],
    ["numbers of a tensor", `{"data":[${"1,".repeat(2000)}1]}`, /^413 .*more than 1,000 numbers in "data"/],
    ["escaped quotes", `"${'\\"'.repeat(2000)}"`, /^400 .*a text of more than 1,024 bytes that is not base64/],
  ])("%s", async (_, json, message) => {
    expect(await refusal(json)).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  });
});

describe("what is no JSON is a 400 that repeats nothing of it:", () => {
  const secret = "5ecret";
  it.each([
    ["an unknown word", `{"a": ${secret}}`, /^400 The JSON is not valid JSON: (?!.*5ecret)/],
    ["no end", `{"a": "${secret}`, /^400 The JSON ends within a text/],
    ["no end of a long text", `{"a": "${secret.repeat(1000)}`, /^400 The JSON ends within a text/],
    ["no end of a tensor", '{"data":[1,2', /^400 The JSON ends within a list of numbers/],
    ["NaN", '{"data":[1,NaN]}', /^400 The JSON has NaN or Infinity in "data", which JSON does not have/],
    ["brackets that close nothing", `{"a":"${"A".repeat(2000)}"}]]`, /^400 The JSON is not valid JSON/],
  ])("%s", async (_, json, message) => {
    expect(await refusal(json)).toMatch(message);
  });

  it("a list of numbers whose syntax is wrong is refused when it is read", async () => {
    for (const json of ["[1 2]", "[1.]", "[+1]", "[01]", `[${"1".repeat(100_000)},1]`]) {
      const { data } = (await readJson(bytesOf(`{"data":${json}}`), LIMITS, z.unknown(), atOnce)) as { data: unknown };
      await expect(numbersOf(data), json).rejects.toThrow(SyntaxError);
    }
  });
});

it("a caller cannot write a text that is taken for a long one", async () => {
  const long = "A".repeat(2000);
  const { a, b } = (await read(`{"a":"${long}","b":"00000000-0000-0000-0000-000000000000:0"}`)) as Record<
    string,
    unknown
  >;
  expect(textOf(a)).toBe(long);
  expect(b).toBe("00000000-0000-0000-0000-000000000000:0");
});

it("a body of 16 MB is scanned in stretches of at most 2 MB of text, and 128 KB of all else", async () => {
  const stretches = async (json: string, limits: JsonLimits) => {
    let count = 0;
    await readJson(bytesOf(json), limits, z.unknown(), async (_, work) => {
      count++;
      return work();
    });
    return count;
  };
  expect(await stretches(`["${"A".repeat(16e6)}"]`, LIMITS)).toBeGreaterThanOrEqual(8);
  const roomy = { ...LIMITS, tensor: { field: "data", numbers: 1e7 } };
  expect(await stretches(`{"data":[${"1,".repeat(8e6)}1]}`, roomy)).toBeGreaterThanOrEqual(120);
});
