/** The OpenAPI document: it is valid, contains every call, and each of its examples works as stated. */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AnswerName, answers } from "../../scripts/build/openapi/answers.ts";
import { type Content, type Operation, operations } from "../../scripts/build/openapi/operations.ts";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { fixture, post } from "./client.ts";

const headers = { authorization: "Bearer s3cret" };

let labeler: RunningLabeler;
let url: string;

beforeAll(async () => {
  labeler = await startWorkerd({ settings: { LABELER_TOKEN: "s3cret" } });
  ({ url } = labeler);
});
afterAll(() => labeler.stop());

/** The path with the examples of its parameters in it. */
const pathOf = ({ path, parameters = [] }: Operation): string =>
  path.replace(/\{(\w+)\}/g, (_, name) =>
    String(parameters.find((parameter) => parameter.name === name)?.example ?? name),
  );

/** Numbers that are alike in three digits, all else the same. */
function expectAlike(actual: unknown, expected: unknown): void {
  if (typeof expected === "number") {
    expect(actual).toBeCloseTo(expected, 3);
  } else if (Array.isArray(expected)) {
    expect(Array.isArray(actual) && actual.length >= expected.length, JSON.stringify(actual)).toBe(true);
    expected.forEach((item, i) => {
      expectAlike((actual as unknown[])[i], item);
    });
  } else if (typeof expected === "object" && expected !== null) {
    expect(Object.keys(actual as object).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) expectAlike((actual as Record<string, unknown>)[name], value);
  } else {
    expect(actual).toBe(expected);
  }
}

/** Requires that an answer is as its schema says. */
function expectShape(name: Content["schema"], body: unknown): void {
  if (name === undefined || !(name in answers)) return;
  const { error } = answers[name as AnswerName].safeParse(body);
  expect(error, JSON.stringify(body)).toBeUndefined();
}

async function expectAnswer(operation: Operation, response: Response): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBe(operation.status);
  if (operation.answer === undefined) return expect(text).toBe("");
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  const content = operation.answer[type];
  expect(content, `${type} is not described`).toBeDefined();
  const body: unknown = type === "application/json" ? JSON.parse(text) : text;
  expectShape(content?.schema, body);
  if (content?.example !== undefined) expectAlike(body, content.example);
}

it("is a valid description without anything that a linter objects to", async () => {
  const source = await (await fetch(`${url}/openapi.json`)).text();
  const config = await createConfig({
    extends: ["recommended"],
    // A probe that cannot fail has no errors to describe; the server is wherever the description came from.
    rules: { "operation-4xx-response": "off", "no-server-example.com": "off", "info-license-strict": "off" },
  });
  const problems = await lintFromString({ source, absoluteRef: "openapi.json", config });
  expect(problems.map(({ message, location }) => `${message} ${location[0]?.pointer ?? ""}`)).toEqual([]);
});

it("names every call that there is, and no other", async () => {
  const { detail } = (await (await fetch(`${url}/no/such/place`, { headers })).json()) as { detail: string };
  const there = new Set(
    [...detail.matchAll(/(GET|POST|PUT|DELETE) (\/[^\s,]*[^\s,.])/g)].map(([, method, path]) => `${method} ${path}`),
  );
  const pages = ["GET /", "GET /docs", "GET /openapi.json"];
  const described = operations.map(
    ({ method, path }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`,
  );
  expect(new Set([...described, ...pages])).toEqual(new Set([...there, "GET /"]));
});

describe("its examples work:", () => {
  const ofAResult = ["getResult", "eraseResult", "eraseResults"];
  const asked = operations.filter(({ body, id }) => body === undefined && !ofAResult.includes(id));
  it.each(asked.map((operation) => [operation.id, operation] as const))("%s", async (_, operation) => {
    await expectAnswer(
      operation,
      await fetch(url + pathOf(operation), { method: operation.method.toUpperCase(), headers }),
    );
  });

  const sent = operations.flatMap((operation) =>
    Object.entries(operation.body ?? {}).flatMap(([type, { example }]) =>
      example === undefined ? [] : [[operation.id, type, operation, example] as const],
    ),
  );
  it.each(sent)("%s with %s", async (_, type, operation, example) => {
    const body = type === "application/json" ? JSON.stringify(example) : String(example);
    await expectAnswer(operation, await post(url + pathOf(operation), body, { ...headers, "content-type": type }));
  });

  it("every call with a body has one", () => {
    const without = operations.filter(({ body, id }) => body !== undefined && !sent.some(([name]) => name === id));
    expect(without.map(({ id }) => id)).toEqual([]);
  });

  it("those of results, with a submitted image", async () => {
    expect((await post(`${url}/ekuiper/sink?id=example`, fixture("coffee-96.webp"), headers)).status).toBe(204);
    const paths = ["/results/example", "/results/example", "/results?device=nobody"];
    for (const [i, id] of ofAResult.entries()) {
      const operation = operations.find((operation) => operation.id === id);
      if (operation === undefined) throw new Error(`${id} is not described.`);
      const method = operation.method.toUpperCase();
      await expectAnswer(operation, await fetch(url + paths[i], { method, headers }));
    }
  });
});

describe("answers are as their schemas say:", () => {
  it.each([
    ["one image", fixture("coffee.png"), "LabelAnswer"],
    ["several, one of them broken", JSON.stringify({ images: ["AAAA"] }), "LabelAnswer"],
    ["what is no image", "text", "Problem"],
  ] as const)("%s", async (_, body, schema) => {
    expectShape(schema, await (await post(`${url}/label`, body, headers)).json());
  });
});

it("is a page, too, that asks nobody for anything", async () => {
  const response = await fetch(`${url}/docs`);
  const html = await response.text();
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  expect(html).not.toMatch(/<script|src=|https?:\/\//);
  for (const { id } of operations) expect(html).toContain(`<section id="${id}"><h3><span class="method">`);
});
