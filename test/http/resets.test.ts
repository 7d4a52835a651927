/**
 * Clients that break off in the middle: everything that a request held (a slot, memory, a decoder, a descriptor) is
 * free within a second, on every route with a body, with every kind of body, at every point of a request.
 */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunningLabeler, startLabeler } from "../../scripts/labeler/labeler.ts";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { Inspector, type IsolateMemory } from "../../scripts/measure/isolate-memory.ts";
import { residentMB } from "../../scripts/system/processes.ts";
import { amount } from "../amount.ts";
import {
  BrokenUpload,
  ENDINGS,
  type Ending,
  PHASES,
  type Phase,
  type UploadBody,
  WHOLE_IMAGES,
} from "./broken-upload.ts";
import { fixture, labelsOf, post } from "./client.ts";
import { parsePrometheus } from "./prometheus.ts";

const MODEL = "mobilenet_v1_1.0_224";

/** As a rule, and at the latest where the machine is busy, in milliseconds; a slot's lease is 15 s, a decoder's 10 s. */
const FREED_WITHIN = 1000;
const FREED_AT_LATEST = 6000;
/** For a good image, in milliseconds: one that had to wait for a slot or a decoder that is held would take 5 s or more. */
const AT_ONCE = 3000;
/** Connections that break at the same time. */
const PARALLEL = 4;

let sent = 0;
/** The same image as a file that was not sent before, since a known one needs neither decoder nor inference. */
const distinct = (image: Uint8Array) => new Uint8Array(Buffer.concat([image, Buffer.from(`#${sent++}`)]));

const [jpeg, png] = [fixture("china.jpg"), fixture("coffee.png")];
const progressive = fixture("formats/large-progressive.jpg");
const webp = fixture("formats/large-lossless.webp");

/** In chunks where it is small: one with a Content-Length of up to 256 KB would be taken in whole before it needs a slot. */
const IMAGES = [
  { name: "JPEG", image: jpeg, chunked: true },
  { name: "progressive JPEG", image: progressive, chunked: true },
  { name: "lossless WebP", image: webp, chunked: true },
  { name: "PNG", image: png, chunked: false },
];

const form = async (images: readonly Uint8Array[]): Promise<UploadBody> => {
  const data = new FormData();
  for (const [i, image] of images.entries()) data.append("image", new Blob([distinct(image)]), `${i}.jpg`);
  const request = new Request("http://x", { method: "POST", body: data });
  const headers = { "Content-Type": request.headers.get("content-type") ?? "" };
  return { name: "form", bytes: new Uint8Array(await request.arrayBuffer()), headers, chunked: false };
};

const json = (value: unknown, name = "JSON"): UploadBody => ({
  name,
  bytes: Buffer.from(JSON.stringify(value)),
  headers: { "Content-Type": "application/json" },
  chunked: true,
});

const base64 = (image: Uint8Array) => Buffer.from(distinct(image)).toString("base64");

/** What a route that labels takes. @param several Whether several images may come at once. */
const imageBodies = async (several: boolean): Promise<UploadBody[]> => [
  ...IMAGES.map(({ name, image, chunked }) => ({ name, bytes: distinct(image), chunked })),
  await form(several ? [jpeg, png] : [png]),
  json(several ? { images: [base64(jpeg), base64(png)] } : { image: base64(png) }),
];

const tensor = { name: "image", shape: [1], datatype: "BYTES" };

function binaryTensor(image: Uint8Array): UploadBody {
  const data = distinct(image);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  const parameters = { binary_data_size: 4 + data.length };
  const head = Buffer.from(JSON.stringify({ inputs: [{ ...tensor, parameters }] }));
  const headers = { "Inference-Header-Content-Length": `${head.length}` };
  return { name: "binary tensor", bytes: Buffer.concat([head, size, data]), headers, chunked: false };
}

const inferenceBodies = async (): Promise<UploadBody[]> => [
  ...IMAGES.map(({ name, image }) => json({ inputs: [{ ...tensor, data: [base64(image)] }] }, `${name} in JSON`)),
  binaryTensor(png),
];

interface Route {
  readonly path: () => string;
  readonly bodies: () => Promise<UploadBody[]>;
}

/** How many bytes the last image has that is of a size of its own, behind its end. */
let spare = 0;

const at = (path: string, bodies: Route["bodies"]): [string, Route] => [path, { path: () => path, bodies }];

const ROUTES: readonly [name: string, Route][] = [
  at("/label", () => imageBodies(true)),
  at("/label?explain=1", () => imageBodies(false)),
  at("/ekuiper/labelImage", () => imageBodies(false)),
  at("/ekuiper/labelText", () => imageBodies(false)),
  ["/ekuiper/sink", { path: () => `/ekuiper/sink?id=broken-${sent++}`, bodies: () => imageBodies(false) }],
  at(`/models/${MODEL}`, () => imageBodies(false)),
  at(`/v2/models/${MODEL}/infer`, inferenceBodies),
  at("/ekuiper/labelOf", async () => [{ name: "an id", bytes: Buffer.from("broken-1".repeat(16)), chunked: false }]),
];

/** In CI each ending on each route; elsewhere each on the first route and on a part of the others. */
const routesFor = (ending: Ending) =>
  ROUTES.filter((_, i) => i === 0 || process.env.CI || i % ENDINGS.length === ENDINGS.indexOf(ending));

/** What must be 0 where no request is there. The last one is not on every labeler. */
const GAUGES = ["edge_labeler_slots_in_use", "edge_labeler_slots_waiting", "edge_labeler_body_bytes_in_memory"];

async function gauges(url: string): Promise<Record<string, number>> {
  const samples = parsePrometheus(await (await fetch(`${url}/metrics`)).text());
  const found = GAUGES.flatMap((gauge) => samples.filter(({ name }) => name === gauge));
  return Object.fromEntries(found.map(({ name, value }) => [name, value]));
}

const held = async (url: string) => Object.entries(await gauges(url)).filter(([, value]) => value !== 0);

/** How long it took each time until nothing was held any more, in milliseconds; not while whole images are worked on. */
const freedAfter: number[] = [];

async function expectFree(url: string, within = FREED_AT_LATEST): Promise<void> {
  const begin = performance.now();
  await expect.poll(() => held(url), { timeout: within, interval: 50 }).toEqual([]);
  if (within === FREED_AT_LATEST) freedAfter.push(performance.now() - begin);
}

/** @param label Undefined where it does not matter. */
async function expectLabelledAtOnce(url: string, body: BodyInit, label?: string): Promise<void> {
  const begin = performance.now();
  const [best] = await labelsOf(await post(`${url}/label`, body));
  expect(performance.now() - begin).toBeLessThan(AT_ONCE);
  if (label !== undefined) expect(best.label).toBe(label);
}

/** Others are served as if nothing had been: each of what may be held has its image. */
async function expectServed(url: string): Promise<void> {
  await expectLabelledAtOnce(url, distinct(png), "968:espresso");
  await expectLabelledAtOnce(url, distinct(progressive));
  const several = await form([png, jpeg]);
  const response = await post(`${url}/label`, new Uint8Array(several.bytes), several.headers);
  expect([response.status, ((await response.json()) as unknown[]).length]).toEqual([200, 2]);
}

/** Breaks one request of each body in each of these phases. @returns How many there were. */
async function breakIn(
  url: string,
  { path, bodies }: Route,
  phases: readonly Phase[],
  ending: Ending,
): Promise<number> {
  const made = await bodies();
  const attempts = phases.flatMap((phase) => made.map((body) => ({ phase, body })));
  const client = async () => {
    for (let attempt = attempts.shift(); attempt !== undefined; attempt = attempts.shift()) {
      const upload = await BrokenUpload.send(url, path(), attempt.body, attempt.phase);
      upload.break(ending);
    }
  };
  const count = attempts.length;
  await Promise.all(Array.from({ length: PARALLEL }, client));
  return count;
}

/** What whole images that nobody waits for may take, in milliseconds. */
const ANSWERED_WITHIN = 20_000;

/** Breaks one request of each body in every phase, and requires that nothing is held then. @returns How many there were. */
async function breakEverywhere(url: string, route: Route, ending: Ending, phases = PHASES): Promise<number> {
  const [whole, partial] = [phases.slice(0, WHOLE_IMAGES), phases.slice(WHOLE_IMAGES)];
  let count = await breakIn(url, route, whole, ending);
  // FIN says only that no more will be sent: a whole image is worked on until its answer cannot be written.
  await expectFree(url, ending === "reset" ? FREED_AT_LATEST : ANSWERED_WITHIN);
  await labelsOf(await post(`${url}/label`, distinct(png))); // behind pictures that are still drawn
  count += await breakIn(url, route, partial, ending);
  await expectFree(url);
  return count;
}

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** Connections that fetch() of this process keeps for later, and files of the results that the first image opens. */
const SPARE_DESCRIPTORS = 12;

describe("on workerd", () => {
  let labeler: RunningWorkerd;
  let inspector: Inspector;
  let before: { descriptors: number; isolate: IsolateMemory; resident: number };

  async function start(): Promise<void> {
    labeler = await startWorkerd({ settings: { LOG: "off" } });
    inspector = await Inspector.open(labeler.inspector);
    // From now on code is warm, and the large decoder is there.
    const uploads = [png, jpeg, webp, progressive].flatMap((image) => [image, image, image]);
    await Promise.all(uploads.map(async (image) => (await post(`${labeler.url}/label`, distinct(image))).text()));
    for (const [, { path, bodies }] of ROUTES) {
      for (const { bytes, headers } of await bodies()) {
        await (await post(labeler.url + path(), new Uint8Array(bytes), headers)).arrayBuffer();
      }
    }
    before = {
      descriptors: descriptors(labeler.pid),
      isolate: await inspector.memory(),
      resident: residentMB(labeler.pid),
    };
  }

  async function stop(): Promise<void> {
    inspector?.close();
    await labeler?.stop();
  }

  beforeAll(start);
  afterAll(stop);
  // What one case leaves behind is no fault of the next one.
  beforeEach(async () => {
    if ((await held(labeler.url)).length === 0) return;
    await stop();
    await start();
  });

  describe.each(ENDINGS)("%s", (ending) => {
    it.each(routesFor(ending))("in every phase of a request to %s leaves nothing behind", async (_, route) => {
      expect(await breakEverywhere(labeler.url, route, ending)).toBeGreaterThanOrEqual(PHASES.length);
      await expectServed(labeler.url);
      await expect.poll(() => descriptors(labeler.pid)).toBeLessThanOrEqual(before.descriptors + SPARE_DESCRIPTORS);
    });

    it("while it waits for a slot leaves no place in the queue", async () => {
      const third = PHASES[3];
      const label = ROUTES[0][1];
      const bodies = await label.bodies();
      // A slot is for what can be decoded: for a file of which 64 KB have come and more is to come.
      const [png] = bodies.filter(({ name }) => name === "PNG");
      // Of another size each time: an image that seems to be repeated is read whole, and needs no slot for that.
      const large = () => ({ ...png, bytes: Buffer.concat([png.bytes, Buffer.alloc(++spare)]) });
      const uploads: BrokenUpload[] = [];
      for (let i = 0; i < 8; i++) {
        uploads.push(await BrokenUpload.send(labeler.url, label.path(), large(), third));
      }
      const waiting = ROUTES.slice(0, 6).map(([, { path }], i) =>
        BrokenUpload.send(labeler.url, path(), large(), PHASES[i % 4]),
      );
      uploads.push(...(await Promise.all(waiting)));
      const [inUse, waits] = GAUGES;
      await expect.poll(async () => (await gauges(labeler.url))[waits]).toBeGreaterThan(0);
      expect((await gauges(labeler.url))[inUse]).toBeGreaterThan(0);
      for (const upload of uploads) upload.break(ending);
      await expectFree(labeler.url);
      await expectServed(labeler.url);
    });
  });

  const most = amount(100, 40);

  it(`${most} of each leave memory as it was`, async () => {
    const [, route] = ROUTES[0];
    for (const ending of ENDINGS) {
      let count = 0;
      while (count < most) count += await breakEverywhere(labeler.url, route, ending);
    }
    await expect.poll(() => descriptors(labeler.pid)).toBeLessThanOrEqual(before.descriptors + SPARE_DESCRIPTORS);
    const [isolate, resident] = [await inspector.memory(), residentMB(labeler.pid)];
    const grown = { heap: isolate.heap - before.isolate.heap, wasm: isolate.wasm - before.isolate.wasm };
    const process = `process ${before.resident.toFixed(0)} → ${resident.toFixed(0)} MB`;
    console.log(`JS heap +${grown.heap.toFixed(1)} MB, WebAssembly +${grown.wasm.toFixed(1)} MB, ${process}`);
    // After a collection of garbage. Of 120 bodies of 400 KB it would be 48 MB.
    expect(grown.heap).toBeLessThan(8);
    // Up to eight small decoders may have come into being: they are kept.
    expect(grown.wasm).toBeLessThanOrEqual(8 * 4);
    // With garbage that V8 has not collected, and what the allocator keeps.
    expect(resident - before.resident).toBeLessThan(60);
  });
});

/** These ran before it. */
it("nothing is held for longer than a second, as a rule", () => {
  const sorted = freedAfter.sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  console.log(`freed after ${median.toFixed(0)} ms (median), ${sorted.at(-1)?.toFixed(0)} ms at the latest`);
  expect(sorted.length).toBeGreaterThan(amount(20, 10));
  expect(median).toBeLessThan(FREED_WITHIN);
});

describe("on wrangler dev, behind its proxy", () => {
  let labeler: RunningLabeler;
  beforeAll(async () => {
    labeler = await startLabeler({ settings: { LOG: "off" } });
    await labelsOf(await post(`${labeler.url}/label`, png));
  });
  afterAll(() => labeler?.stop());

  it.each(ENDINGS)("%s in the middle of a body leaves nothing behind", async (ending) => {
    await breakEverywhere(labeler.url, ROUTES[0][1], ending, PHASES.slice(0, 4));
    await expectServed(labeler.url);
  });
});
