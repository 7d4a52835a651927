/** Images in base64: every variant of the encoding gives the same bytes. */
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { LabelerError } from "../../../worker/errors.ts";
import { imageFromBase64 } from "../../../worker/http/base64-image.ts";
import { imageJsonLimits } from "../../../worker/http/image-json.ts";
import { readJson } from "../../../worker/json/read-json.ts";
import { atOnce } from "../../../worker/runtime/execute.ts";
import type { Text } from "../../../worker/validation/long-text.ts";

/** Bytes of every value, so that base64 of them has "+" and "/" in it. */
const noise = (length: number) => new Uint8Array(length).map((_, i) => (i * i) >> 3);

async function bytesOf(json: string): Promise<Uint8Array> {
  const text = await readJson(new TextEncoder().encode(json), imageJsonLimits(1), z.unknown(), atOnce);
  const { stream } = await imageFromBase64(text as Text);
  const whole = await stream.all({ limit: 1e8 });
  if (whole === undefined) throw new Error("too much");
  return whole;
}

const SIZES = [1, 2, 3, 700, 768, 5_000, 98_304, 98_305, 300_000, 1_000_001];

describe.each(SIZES)("%i bytes", (size) => {
  const image = noise(size);
  const base64 = image.toBase64();
  it.each([
    ["as it is", `"${base64}"`],
    ["without padding", `"${base64.replace(/=+$/, "")}"`],
    ["as a data URL", `"data:image/png;base64,${base64}"`],
    ["in lines", `"${base64.replace(/.{76}/g, "$&\\r\\n")}"`],
    ["with slashes escaped, as PHP does", `"${base64.replaceAll("/", "\\/")}"`],
    ["with plus signs escaped, as .NET does", `"${base64.replaceAll("+", "\\u002B")}"`],
    ["with every character escaped", `"${base64.replace(/./g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)}"`],
  ])("%s", async (_, json) => {
    const found = await bytesOf(json);
    expect(found.length).toBe(size);
    expect(found.toBase64()).toBe(base64);
  });
});

it("lines that are not escaped, as a shell puts the output of base64 into JSON, are read where the text is long", async () => {
  const image = noise(100_000);
  expect((await bytesOf(`"${image.toBase64().replace(/.{76}/g, "$&\n")}"`)).toBase64()).toBe(image.toBase64());
});

const base64 = noise(200_000).toBase64();

it.each([
  ["no base64", '"*"'],
  ["no base64 far behind", `"${base64}*${base64}"`],
  ["a character that is not ASCII", `"${base64}é"`],
  ["something behind the padding", `"${noise(98_302).toBase64()}${base64}"`],
  ["a data URL without base64", '"data:image/png,abc"'],
  ["a data URL whose head does not end", `"data:${";base64".repeat(100_000)}"`],
  ["white space without end", `"${" ".repeat(500_000)}"`],
  ["escaped white space without end", `"AAAA${"\\n".repeat(500_000)}"`],
  ["one character too many", `"${base64.replace(/=+$/, "")}${"A".repeat(2)}"`],
  ["an escape that there is not", `"${base64}\\q${base64}"`],
])("%s is a bad-body", async (_, json) => {
  const error = await bytesOf(json).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(LabelerError);
  expect(error).toMatchObject({ kind: "bad-body", message: expect.stringMatching(/neither base64/) });
});

it.each(['""', '"data:image/png;base64,"', `"${" ".repeat(1000)}"`])("%.30s is an empty image", async (json) => {
  await expect(bytesOf(json)).rejects.toThrow(/empty/);
});
