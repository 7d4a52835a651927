/** The push of results to configured targets that fail, hang, redirect and recover, and across a killed labeler. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LabelerOptions, type RunningLabeler, startLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { freePorts } from "../../scripts/system/ports.ts";
import { post } from "./client.ts";
import { tinyModels } from "./tiny-model.ts";

interface Target {
  readonly url: string;
  /** The ids that were answered with a 2xx, in their order. */
  readonly got: string[];
  readonly bodies: unknown[];
  readonly authorization: (string | undefined)[];
  /** What it answers; null to hang. */
  answer: (id: string) => number | null;
  readonly server: Server;
}

/** A small model: the images here cannot be read. */
const models = tinyModels();
afterAll(() => rmSync(models, { recursive: true }));

let state: string;
let labelers: RunningLabeler[];
let targets: Target[];
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "edge-labeler-push-"));
  labelers = [];
  targets = [];
});
afterEach(async () => {
  for (const labeler of labelers) await labeler.stop();
  for (const { server } of targets) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(state, { recursive: true });
});

async function target(port = 0, path = "/labels"): Promise<Target> {
  const found: Target = {
    url: "",
    got: [],
    bodies: [],
    authorization: [],
    answer: () => 200,
    server: createServer((request, response) => {
      let body = "";
      request.on("data", (data) => (body += data));
      request.on("end", () => {
        const row = JSON.parse(body);
        const status = found.answer(row.id);
        if (status === null) return;
        if (status < 300) {
          found.got.push(row.id);
          found.bodies.push(row);
          found.authorization.push(request.headers.authorization);
        }
        response.writeHead(status, status === 302 ? { location: targets[1]?.url } : {}).end("taken");
      });
    }),
  };
  await new Promise<void>((resolve) => found.server.listen(port, "127.0.0.1", resolve));
  const listening = { ...found, url: `http://127.0.0.1:${(found.server.address() as AddressInfo).port}${path}` };
  Object.defineProperty(listening, "answer", {
    get: () => found.answer,
    set: (answer: Target["answer"]) => {
      found.answer = answer;
    },
  });
  targets.push(listening);
  return listening;
}

async function start(
  how: (options: LabelerOptions) => Promise<RunningLabeler>,
  urls: readonly string[],
  settings: Record<string, string> = {},
): Promise<RunningLabeler> {
  const all = { DEFAULT_MODEL: "tiny", PUSH_TARGETS: urls.join(","), ...settings };
  const labeler = await how({ state, models, settings: all });
  labelers.push(labeler);
  return labeler;
}

/** Hands over images that cannot be read: their rows are pushed like others. */
async function sink({ url }: RunningLabeler, ...ids: string[]): Promise<void> {
  for (const id of ids) expect((await post(`${url}/ekuiper/sink?id=${id}`, "no image")).status).toBe(204);
}

const status = async ({ url }: RunningLabeler) => (await (await fetch(`${url}/push`)).json()).targets;

describe.each([
  ["workerd", startWorkerd],
  ["wrangler dev", startLabeler],
] as const)("on %s", (_, how) => {
  it("posts each result once, in order, with the token, to every target", async () => {
    const [first, second] = [await target(), await target()];
    const labeler = await start(how, [first.url, second.url], { PUSH_TOKEN: "for-targets" });
    await sink(labeler, "a", "b", "c");
    await expect.poll(() => first.got).toEqual(["a", "b", "c"]);
    await expect.poll(() => second.got).toEqual(["a", "b", "c"]);
    expect(new Set(first.authorization)).toEqual(new Set(["Bearer for-targets"]));
    expect(first.bodies).toEqual(await (await fetch(`${labeler.url}/results`)).json());
    await expect
      .poll(async () => (await status(labeler))[0])
      .toEqual({
        target: first.url,
        delivered: 3,
        waiting: 0,
        givenUp: 0,
        failures: 0,
        retryAt: null,
        lastError: null,
      });
  });
});

it("tries again where a target fails, keeps the order, and holds up no other target", async () => {
  const [flaky, hanging, good] = [await target(), await target(), await target()];
  let calls = 0;
  flaky.answer = () => (++calls % 2 === 1 ? 503 : 200);
  hanging.answer = () => null;
  const labeler = await start(startWorkerd, [flaky.url, hanging.url, good.url]);
  await sink(labeler, "a", "b");
  await expect.poll(() => good.got).toEqual(["a", "b"]);
  await expect.poll(async () => (await status(labeler))[0]).toMatchObject({ lastError: "answered with status 503" });
  await sink(labeler, "c");
  await expect.poll(() => good.got).toEqual(["a", "b", "c"]);
  await expect.poll(() => flaky.got, { timeout: 15_000 }).toEqual(["a", "b", "c"]);
  expect((await status(labeler))[1]).toMatchObject({ delivered: 0, waiting: 3 });
});

it("goes on after the labeler was killed, without a request that wakes it up", async () => {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/labels`;
  const labeler = await start(startWorkerd, [url]);
  await sink(labeler, "a", "b", "c");
  await expect.poll(async () => (await status(labeler))[0]).toMatchObject({ delivered: 0, waiting: 3, givenUp: 0 });
  await labeler.stop(); // SIGKILL
  const { got } = await target(port);
  await start(startWorkerd, [url]);
  await expect.poll(() => got, { timeout: 40_000 }).toEqual(["a", "b", "c"]);
});

it("keeps a result that is refused once by a target that comes back from an outage", async () => {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/labels`;
  const labeler = await start(startWorkerd, [url]);
  await sink(labeler, "a");
  await expect.poll(async () => (await status(labeler))[0].failures, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
  const waking = await target(port);
  const calls: string[] = [];
  waking.answer = (id) => (calls.push(id) === 1 ? 400 : 200);
  await expect.poll(() => waking.got, { timeout: 60_000 }).toEqual(["a"]);
  expect(calls).toEqual(["a", "a"]);
  expect((await status(labeler))[0]).toMatchObject({ delivered: 1, givenUp: 0, waiting: 0, lastError: null });
});

it("counts only refusals in a row towards giving a result up", async () => {
  const odd = await target();
  const answers = [400, 400, 503, 400, 400, 503, 400, 400, 200];
  odd.answer = () => answers.shift() ?? 200;
  const labeler = await start(startWorkerd, [odd.url]);
  await sink(labeler, "a");
  for (let left = answers.length; left > 0; left = answers.length) {
    await post(`${labeler.url}/push/retry`, "");
  }
  await expect.poll(() => odd.got).toEqual(["a"]);
  expect((await status(labeler))[0]).toMatchObject({ delivered: 1, givenUp: 0 });
});

it("tries at once when it is told to, and after a restart, however long the back-off is", async () => {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/labels`;
  const labeler = await start(startWorkerd, [url]);
  await sink(labeler, "a");
  const retry = async (at: RunningLabeler) => {
    const response = await post(`${at.url}/push/retry`, "");
    expect(response.status).toBe(200);
    return (await response.json()).targets[0];
  };
  let failed = 0;
  while (failed < 7) ({ failures: failed } = await retry(labeler));
  const { retryAt } = (await status(labeler))[0];
  expect(Date.parse(retryAt) - Date.now()).toBeGreaterThan(30_000);
  await labeler.stop(); // SIGKILL
  const { got } = await target(port);
  const again = await start(startWorkerd, [url]);
  await status(again); // the call that wakes it up
  await expect.poll(() => got).toEqual(["a"]);

  await sink(again, "b");
  await expect.poll(() => got).toEqual(["a", "b"]);
  expect(await retry(again)).toMatchObject({ delivered: 2, waiting: 0, failures: 0, retryAt: null });
});

it("waits no longer than 30 s for a target that once worked", async () => {
  const known = await target();
  const labeler = await start(startWorkerd, [known.url]);
  await sink(labeler, "a");
  await expect.poll(() => known.got).toEqual(["a"]);
  known.answer = () => 503;
  await sink(labeler, "b");
  const failures = async () => (await (await post(`${labeler.url}/push/retry`, "")).json()).targets[0].failures;
  while ((await failures()) < 8);
  const { retryAt } = (await status(labeler))[0];
  expect(Date.parse(retryAt) - Date.now()).toBeGreaterThan(20_000);
  expect(Date.parse(retryAt) - Date.now()).toBeLessThanOrEqual(30_000);
});

it("does not follow a redirect", async () => {
  const [redirecting, elsewhere] = [await target(), await target()];
  redirecting.answer = () => 302;
  const labeler = await start(startWorkerd, [redirecting.url]);
  await sink(labeler, "a");
  await expect.poll(async () => (await status(labeler))[0]).toMatchObject({ lastError: "answered with status 302" });
  expect(elsewhere.got).toEqual([]);
});

it("gives up a result that the target refuses again and again, and one that is too old, and goes on", async () => {
  const refusing = await target();
  refusing.answer = (id) => (id === "bad" ? 422 : 200);
  const labeler = await start(startWorkerd, [refusing.url]);
  await sink(labeler, "bad", "good");
  await expect.poll(() => refusing.got, { timeout: 30_000 }).toEqual(["good"]);
  expect((await status(labeler))[0]).toMatchObject({ delivered: 1, givenUp: 1, waiting: 0 });
  await labeler.stop();

  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/labels`;
  const impatient = await start(startWorkerd, [url], { PUSH_MAX_AGE_DAYS: "0.00002" }); // 1.7 s
  await sink(impatient, "old");
  await expect
    .poll(async () => (await status(impatient))[0], { timeout: 15_000 })
    .toMatchObject({ delivered: 0, givenUp: 1, waiting: 0 });
});
