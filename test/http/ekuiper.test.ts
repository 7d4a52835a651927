/** POST /ekuiper/… from outside, as eKuiper's external service calls it. The real engine is in test/ekuiper/. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { fixture, post } from "./client.ts";

let labeler: RunningLabeler;
let url: string;
beforeAll(async () => {
  labeler = await startWorkerd({ settings: { MAX_BODY_BYTES: "1000000" } });
  url = `${labeler.url}/ekuiper`;
});
afterAll(() => labeler?.stop());

const coffee = fixture("coffee.png");
const DEFAULT_MODEL = "mobilenet_v1_1.0_224";
const LITE = "efficientnet_lite0";

/** Posts the image with parameters in the header that a function of eKuiper has. */
const ask = (path: string, query: string, body: BodyInit = coffee) =>
  fetch(`${labeler.url}${path}`, { method: "POST", body, headers: { "X-Label-Query": query } });

it("labelImage answers an object with all labels and the best one", async () => {
  const response = await post(`${url}/labelImage`, coffee);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const reply = await response.json();
  expect(reply.results.length).toBe(5);
  expect(reply).toMatchObject({ label: "968:espresso", confidence: reply.results[0].confidence, model: DEFAULT_MODEL });
  expect(reply).not.toHaveProperty("error");
});

it("labelText answers the top-1 label as text", async () => {
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

it("a function's header says what a query says: model, crop, how many labels and how sure", async () => {
  const query = `model=${LITE}&crop=squash&top=2&min=0.01`;
  const asked = await (await ask("/ekuiper/labelImage", query)).json();
  expect(asked).toEqual(await (await post(`${url}/labelImage?${query}`, coffee)).json());
  expect(asked).toMatchObject({ model: LITE, label: expect.stringMatching(/^\d+:/) });
  expect(asked.results.length).toBeLessThanOrEqual(2);
  expect(asked).not.toEqual(await (await post(`${url}/labelImage`, coffee)).json());
  expect(await (await ask("/ekuiper/labelText", query)).text()).toBe(asked.label);
});

it("a label that is less sure than the header asks for is an empty one, without an error", async () => {
  const reply = await (await ask("/ekuiper/labelImage", "min=1")).json();
  expect(reply).toEqual({ results: [], label: "", confidence: 0, model: DEFAULT_MODEL });
});

it("an image that cannot be read names the model that would have labelled it", async () => {
  const reply = await (await ask("/ekuiper/labelImage", `model=${LITE}`, "hello")).json();
  expect(reply).toMatchObject({ label: "", error: expect.stringMatching(/PNG/), model: LITE });
});

it.each([
  ["an unknown one", "topp=1", "?", /There is no parameter topp/],
  ["one of Object's own", "__proto__=1", "?", /There is no parameter __proto__/],
  ["a wrong value", "crop=round", "?", /crop/],
  ["the same as in the query", "top=1", "?top=1", /top is given 2 times/],
  ["another than in the query", `model=${LITE}`, `?model=${DEFAULT_MODEL}`, /model is given 2 times/],
  ["one that is there twice", "min=0.1&min=0.2", "?", /min is given 2 times/],
  ["several headers as one", "top=1, min=0.2", "?", /top/],
])("a parameter of the header is checked as the query is: %s", async (_, header, query, detail) => {
  const response = await ask(`/ekuiper/labelImage${query}`, header);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ type: "urn:edge-labeler:problem:bad-parameter" });
  expect((await (await ask(`/ekuiper/sink${query}`, header)).json()).detail).toMatch(detail);
});

it("the header may name device and model of a submitted image, and the query the rest", async () => {
  expect((await ask("/ekuiper/sink?id=by-header", `model=${LITE}&device=gate`)).status).toBe(204);
  const row = await (await fetch(`${labeler.url}/results/by-header`)).json();
  expect(row).toMatchObject({ id: "by-header", device: "gate", model: LITE });
});

it.each([`/label`, `/models/${DEFAULT_MODEL}`])("no other call reads the header: %s", async (path) => {
  const plain = await (await post(labeler.url + path, coffee)).json();
  expect(await (await ask(path, "top=1&no-such-parameter=1")).json()).toEqual(plain);
});
