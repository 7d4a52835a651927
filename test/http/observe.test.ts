/** What an operator sees: /metrics, the log, request ids, timings. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { expectProblem, fixture, post } from "./client.ts";
import { parsePrometheus, type Sample } from "./prometheus.ts";
import { RUNTIMES } from "./runtimes.ts";

const rocket = fixture("rocket.jpg");
const coffee = fixture("coffee.png");

async function metricsOf(url: string, headers: Record<string, string> = {}): Promise<Sample[]> {
  const response = await fetch(`${url}/metrics`, { headers });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parsePrometheus(await response.text());
}

/** The value of the one series with this name and these labels among others. */
function value(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
  );
  expect(found.length).toBeLessThan(2);
  return found[0]?.value;
}

describe.each(RUNTIMES)("on %s", (_, start) => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await start();
  });
  afterAll(() => labeler?.stop());

  it("/metrics counts requests, images, bytes, model loads and answers that were found", async () => {
    const label = `${labeler.url}/label`;
    for (const image of [rocket, rocket, coffee]) expect((await post(label, image)).status).toBe(200);
    expect((await post(label, "no image")).status).toBe(415);
    for (let i = 0; i < 3; i++) await fetch(`${labeler.url}/nothing-${i}`);
    await fetch(`${labeler.url}/models/mobilenet_v1_1.0_224`);
    const samples = await metricsOf(labeler.url);
    const requests = "edge_labeler_requests_total";
    expect(value(samples, requests, { route: "/label", method: "POST", status: "200" })).toBe(3);
    expect(value(samples, requests, { route: "/label", status: "415" })).toBe(1);
    expect(value(samples, requests, { route: "/models/:name", status: "200" })).toBe(1);
    expect(value(samples, requests, { route: "none", status: "404" })).toBe(3);
    const images = "edge_labeler_images_total";
    expect(value(samples, images, { format: "jpeg", cache: "miss" })).toBe(1);
    expect(value(samples, images, { format: "jpeg", cache: "memory" })).toBe(1);
    expect(value(samples, images, { format: "png", cache: "miss", model: "mobilenet_v1_1.0_224" })).toBe(1);
    expect(value(samples, "edge_labeler_image_bytes_total")).toBeGreaterThanOrEqual(rocket.length + coffee.length);
    expect(value(samples, "edge_labeler_model_loads_total", { outcome: "loaded" })).toBe(1);
    expect(value(samples, "edge_labeler_models_resident_bytes")).toBeGreaterThan(1e6);
    expect(value(samples, "edge_labeler_step_duration_seconds_count", { step: "infer" })).toBe(2);
    expect(value(samples, "edge_labeler_step_duration_seconds_count", { step: "decode" })).toBeGreaterThanOrEqual(2);
    expect(value(samples, "edge_labeler_slots_in_use")).toBe(0);
    expect(value(samples, "edge_labeler_slots_waiting")).toBe(0);
    expect(value(samples, "edge_labeler_isolate_age_seconds")).toBeGreaterThanOrEqual(0);
    expect(value(samples, "edge_labeler_request_duration_seconds_count", { route: "/label" })).toBe(4);
  });

  it("/metrics counts images that were explained or sent by the Open Inference Protocol, too", async () => {
    const images = async () =>
      value(await metricsOf(labeler.url), "edge_labeler_images_total", { format: "png", cache: "bypass" }) ?? 0;
    const before = await images();
    expect((await post(`${labeler.url}/label?explain=1`, new Blob([coffee, "explained"]))).status).toBe(200);
    expect(await images()).toBe(before + 1);
    const data = [Buffer.from(coffee).toString("base64")];
    const inputs = [{ name: "image", shape: [1], datatype: "BYTES", data }];
    const infer = `${labeler.url}/v2/models/mobilenet_v1_1.0_224/infer`;
    expect((await post(infer, JSON.stringify({ inputs }))).status).toBe(200);
    expect(await images()).toBe(before + 2);
  });

  it("the series do not grow without bound, whatever callers send", async () => {
    for (let i = 0; i < 20; i++) await fetch(`${labeler.url}/label/${i}`, { method: "POST" });
    const samples = await metricsOf(labeler.url);
    expect(
      samples.filter(({ name, labels }) => name === "edge_labeler_requests_total" && labels.route === "none").length,
    ).toBeLessThanOrEqual(3);
  });

  it("a request keeps its own id, and gets one if it has none or one that is none", async () => {
    const id = async (headers: Record<string, string>) =>
      (await fetch(`${labeler.url}/models`, { headers })).headers.get("x-request-id");
    expect(await id({ "x-request-id": "rule-7:42" })).toBe("rule-7:42");
    expect(await id({ "x-request-id": "two words" })).toMatch(/^[0-9a-f]{8}-/);
    expect(await id({ "x-request-id": "x".repeat(129) })).toMatch(/^[0-9a-f]{8}-/);
    const ids = await Promise.all([id({}), id({})]);
    expect(new Set(ids).size).toBe(2);
    expect((await fetch(`${labeler.url}/none`)).headers.get("x-request-id")).toMatch(/./);
  });

  // Under a clock that stands still, test/http/frozen-clock.test.ts says what it has.
  it.skipIf(process.env.LABELER_PRELUDE)("Server-Timing says how long each step took", async () => {
    const response = await post(`${labeler.url}/label`, new Blob([coffee, "another"]));
    const timing = response.headers.get("server-timing") ?? "";
    expect(timing).toMatch(/^(\w+;dur=\d+(\.\d)?)(, \w+;dur=\d+(\.\d)?)*$/);
    const steps = new Map(timing.split(", ").map((step) => step.split(";dur=") as [string, string]));
    expect([...steps.keys()]).toEqual(expect.arrayContaining(["decode", "infer"]));
    expect(Number(steps.get("infer"))).toBeGreaterThan(1);
    expect((await post(`${labeler.url}/label`, rocket)).headers.get("server-timing") ?? "").not.toMatch(/infer/);
  });
});

describe("with tokens", () => {
  it.each([
    ["METRICS_PUBLIC is false: /metrics needs one", "false", 401],
    ["METRICS_PUBLIC is true: it needs none", "true", 200],
  ])("%s", async (_, METRICS_PUBLIC, status) => {
    const labeler = await startWorkerd({ settings: { LABELER_TOKEN: "s3cret", METRICS_PUBLIC } });
    try {
      const response = await fetch(`${labeler.url}/metrics`);
      if (status === 401) await expectProblem(response, 401, "unauthorized", /Bearer/);
      else parsePrometheus(await response.text());
      await metricsOf(labeler.url, { authorization: "Bearer s3cret" });
      expect((await fetch(`${labeler.url}/models`)).status).toBe(401);
    } finally {
      await labeler.stop();
    }
  });
});

describe("the log", () => {
  const lines = (labeler: RunningWorkerd) =>
    labeler
      .log()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));

  it("has a line of JSON for each request but probes, with its id and what became of it", async () => {
    const labeler = await startWorkerd({ settings: { LABELER_TOKEN: "s3cret" } });
    try {
      const headers = (id: string) => ({ authorization: "Bearer s3cret", "x-request-id": id });
      const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      await post(`${labeler.url}/label?top=1`, rocket, { ...headers("good"), "cf-ray": "8c0ffee-FRA", traceparent });
      await post(`${labeler.url}/label`, "no image", headers("bad"));
      await fetch(`${labeler.url}/healthz`, { headers: { "x-request-id": "probe" } });
      await post(`${labeler.url}/label`, rocket, { "x-request-id": "stranger" });
      const line = (id: string) => lines(labeler).find((entry) => entry.id === id);
      await expect.poll(() => line("stranger")).toBeDefined();
      expect(line("good")).toMatchObject({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        parent_id: "00f067aa0ba902b7",
        ray: "8c0ffee-FRA",
        method: "POST",
        path: "/label",
        route: "/label",
        status: 200,
        client: "LABELER_TOKEN",
        bytes: rocket.length,
        images: [{ format: "jpeg", model: "mobilenet_v1_1.0_224", cache: "miss" }],
        ms: { total: expect.any(Number), infer: expect.any(Number) },
      });
      expect(line("good")).not.toHaveProperty("error");
      expect(line("bad")).toMatchObject({
        status: 415,
        error: { kind: "unsupported-image", detail: expect.stringMatching(/begins with/) },
      });
      expect(line("stranger")).toMatchObject({ status: 401, error: { kind: "unauthorized" } });
      expect(line("stranger")).not.toHaveProperty("client");
      expect(line("probe")).toBeUndefined();
      expect(labeler.log()).not.toMatch("s3cret");
    } finally {
      await labeler.stop();
    }
  });

  it.each(["errors", "off"])("LOG=%s says nothing of requests that went well, but who has erased what", async (LOG) => {
    const labeler = await startWorkerd({ settings: { LOG, LABELER_TOKEN: "s3cret", ANONYMOUS_LABEL: "true" } });
    try {
      expect((await post(`${labeler.url}/label`, rocket)).status).toBe(200);
      expect((await post(`${labeler.url}/label`, "no image")).status).toBe(415);
      expect((await fetch(`${labeler.url}/healthz`)).status).toBe(200);
      expect(lines(labeler)).toEqual([]);
      const erase = (path: string) =>
        fetch(`${labeler.url}${path}`, { method: "DELETE", headers: { authorization: "Bearer s3cret" } });
      expect((await erase("/results?device=gate&before=2020-01-01")).status).toBe(200);
      expect((await erase("/results/shot-1")).status).toBe(404);
      await expect.poll(() => lines(labeler)).toHaveLength(2);
      expect(lines(labeler)).toMatchObject([
        { method: "DELETE", client: "LABELER_TOKEN", erased: { device: "gate", before: "2020-01-01", count: 0 } },
        { method: "DELETE", client: "LABELER_TOKEN", erased: { image: "shot-1", count: 0 } },
      ]);
    } finally {
      await labeler.stop();
    }
  });
});
