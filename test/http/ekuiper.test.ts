/** POST /ekuiper/… from outside, as eKuiper's external service would call it. The real engine is in test/ekuiper/. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/lib/labeler.ts";
import { startWorkerd } from "../../scripts/lib/workerd.ts";
import { fixture, post } from "./client.ts";

let labeler: RunningLabeler;
let url: string;
beforeAll(async () => {
  labeler = await startWorkerd({ settings: { MAX_BODY_BYTES: "1000000" } });
  url = `${labeler.url}/ekuiper`;
});
afterAll(() => labeler?.stop());

const coffee = fixture("coffee.png");

it("labelImage answers an object with all labels and the best one", async () => {
  const response = await post(`${url}/labelImage`, coffee);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const reply = await response.json();
  expect(reply.results.length).toBe(5);
  expect(reply).toMatchObject({ label: "968:espresso", confidence: reply.results[0].confidence });
  expect(reply).not.toHaveProperty("error");
});

it("labelText answers the best label as text", async () => {
  const response = await post(`${url}/labelText`, coffee);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(await response.text()).toBe("968:espresso");
});

it.each([
  ["a text", "hello", /PNG/],
  ["a broken image", coffee.subarray(0, 100), /ends before its first row/],
  ["nothing", "", /empty/],
  ["too large a body", new Uint8Array(1_000_001), /MAX_BODY_BYTES/],
])("an image that cannot be read is an answer with the reason: %s", async (_, body, reason) => {
  const response = await post(`${url}/labelImage`, body);
  expect(response.status).toBe(200);
  const reply = await response.json();
  expect(reply).toMatchObject({ results: [], label: "", confidence: 0 });
  expect(reply.error).toMatch(reason);
});

it("an image whose file ends early is labelled by what is there, and the rule sees that too", async () => {
  const reply = await (await post(`${url}/labelImage`, coffee.subarray(0, 400_000))).json();
  expect(reply).toMatchObject({ label: "968:espresso", error: expect.stringMatching(/ends early: 1\d % of it/) });
});

it.each([
  ["an unknown parameter", "?topp=1", 400],
  ["an unknown model", "?model=resnet", 404],
])("other errors keep their status, in the JSON that eKuiper reads: %s", async (_, query, status) => {
  const response = await post(`${url}/labelImage${query}`, coffee);
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toMatchObject({ status });
});
