/** Models whose files are replaced while clients label: each answer is that of one state, whatever is copied how. */
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { runScript } from "../script.ts";
import { COLOURS, noise, type Rgb } from "./noise.ts";
import { headers, type Serve, shareServeFolders, startServe } from "./serve-process.ts";
import { addTiny } from "./tiny-model.ts";

const { folder, state, models } = shareServeFolders("replaced");

const pictures = Object.values(COLOURS).flatMap((colour: Rgb) => [1, 2, 3].map((seed) => noise(colour, 500 + seed)));

/** What a state answers for each picture, as text; undefined for a state that cannot be used. */
type Answers = readonly (string | undefined)[];

async function ask(url: string, body: Buffer<ArrayBuffer>, model = "door"): Promise<Response> {
  return fetch(`${url}/label?model=${model}`, { method: "POST", body, headers });
}

/** Files of door and of its base, tiny, by the names of the states that they belong to. */
const files = (name: string) => join(folder, "states", name);
const photosOf = (name: string) => join(folder, "photos", name);

async function teach(name: string, base: string, classes: Readonly<Record<string, Rgb>>): Promise<void> {
  mkdirSync(files(name), { recursive: true });
  addTiny(files(name), "tiny", { file: base });
  const photos = photosOf(name);
  for (const [label, colour] of Object.entries(classes)) {
    mkdirSync(join(photos, label), { recursive: true });
    for (let i = 0; i < 4; i++) writeFileSync(join(photos, label, `${i}.bmp`), noise(colour, 100 * colour[2] + i));
  }
  const { code, out, err } = await runScript("model", ["teach", "door", photos, "--models", files(name)]);
  expect(code, out + err).toBe(0);
}

const LABELS = "closed (renamed)\nopen (renamed)\n";

/** Every state that can be used: a base with a head of its own, with and without other names for the classes. */
const TAUGHT = ["first", "second", "other-base", "again"];
const STATES = [...TAUGHT, ...TAUGHT.map((name) => `${name}-renamed`)];
const known = new Map<string, Answers>();

/** One labeler with all states, each as a model with a base of its own. */
async function askAll(): Promise<void> {
  const all = join(folder, "all");
  for (const name of STATES) {
    const [original = "", renamed] = name.split("-renamed");
    cpSync(join(files(original), "tiny"), join(all, `${name}-base`), { recursive: true });
    cpSync(join(files(original), "door"), join(all, name), { recursive: true });
    const spec = JSON.parse(readFileSync(join(all, name, "model.json"), "utf8"));
    writeFileSync(join(all, name, "model.json"), JSON.stringify({ ...spec, base: `${name}-base` }));
    if (renamed !== undefined) writeFileSync(join(all, name, "labels.txt"), LABELS);
  }
  const labeler = await startWorkerd({ models: all, settings: { DEFAULT_MODEL: "first" } });
  try {
    for (const name of STATES) {
      const answers: string[] = [];
      for (const picture of pictures) answers.push(await (await ask(labeler.url, picture, name)).text());
      known.set(name, answers);
    }
  } finally {
    await labeler.stop();
  }
}

beforeAll(async () => {
  await Promise.all([
    teach("first", "tiny-float.tflite", { closed: COLOURS.red, open: COLOURS.blue }),
    teach("second", "tiny-float.tflite", { closed: COLOURS.blue, open: COLOURS.yellow }),
    teach("other-base", "tiny-uint8.tflite", { closed: COLOURS.yellow, open: COLOURS.red }),
  ]);
  cpSync(files("first"), files("again"), { recursive: true });
  await runScript("model", ["teach", "door", photosOf("second"), "--models", files("again")]);
  await askAll();
  const all = [...known.values()].map((answers) => JSON.stringify(answers));
  expect(new Set(all).size).toBe(STATES.length);
});

beforeEach(() => {
  rmSync(models, { recursive: true });
  cpSync(files("first"), models, { recursive: true });
});

/** The states that give this answer. */
const statesOf = (picture: number, answer: string) => STATES.filter((name) => known.get(name)?.[picture] === answer);

interface Seen {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly states: readonly string[];
  readonly text: string;
}

/** Ten clients that label until they are stopped. */
class Clients {
  readonly seen: Seen[] = [];
  readonly #ended: Promise<unknown>;
  #stopped = false;

  constructor(url: string) {
    this.#ended = Promise.all(Array.from({ length: 10 }, (_, client) => this.#run(url, client)));
  }

  async #run(url: string, client: number): Promise<void> {
    for (let at = client; !this.#stopped; at++) {
      const picture = at % pictures.length;
      const response = await ask(url, pictures[picture] as Buffer<ArrayBuffer>);
      const text = await response.text();
      const states = response.ok ? statesOf(picture, text) : [];
      this.seen.push({ status: response.status, retryAfter: response.headers.get("retry-after"), states, text });
      await sleep(30);
    }
  }

  /** Until a client has an answer that this state gives and its former ones do not; in milliseconds. */
  async until(name: string): Promise<number> {
    const since = performance.now();
    const from = this.seen.length;
    const only = () => this.seen.slice(from).slice(-20);
    await expect
      .poll(() => only().length === 20 && only().every(({ states }) => states.includes(name)), {
        interval: 20,
      })
      .toBe(true);
    return performance.now() - since;
  }

  async stop(): Promise<readonly Seen[]> {
    this.#stopped = true;
    await this.#ended;
    return this.seen;
  }
}

/** Every answer is whole: that of a state, or the request to come back. */
function expectWhole(seen: readonly Seen[]): void {
  const strange = seen.filter(({ status, states, retryAfter }) =>
    status === 200 ? states.length === 0 : status !== 503 || retryAfter === null,
  );
  expect(strange.slice(0, 3)).toEqual([]);
}

const source = (name: string, path: string) =>
  path === "door/labels.txt" ? Buffer.from(LABELS) : readFileSync(join(files(name.replace("-renamed", "")), path));

/** Puts a file of a state there under another name first. */
function put(name: string, path: string): void {
  writeFileSync(join(models, `${path}.new`), source(name, path));
  renameSync(join(models, `${path}.new`), join(models, path));
}

/** Copies a file of a state as a slow network does, over the one that is there. */
async function copySlowly(name: string, path: string): Promise<void> {
  const content = source(name, path);
  const part = Math.ceil(content.length / 3);
  writeFileSync(join(models, path), "");
  for (let at = 0; at < content.length; at += part) {
    await sleep(650); // the index is written in between
    writeFileSync(join(models, path), content.subarray(at, at + part), { flag: "a" });
  }
}

async function withClients(work: (clients: Clients, labeler: Serve) => Promise<void>): Promise<readonly Seen[]> {
  const labeler = await startServe({ state, models });
  await expect.poll(async () => (await ask(labeler.url, pictures[0] as Buffer<ArrayBuffer>)).status).toBe(200);
  const clients = new Clients(labeler.url);
  try {
    await work(clients, labeler);
  } finally {
    await clients.stop();
  }
  expect(labeler.log()).not.toMatch(/workerd ended/);
  return clients.seen;
}

it("labels every image while it is taught again and its classes are renamed, with the new state within 5 s", async () => {
  const times: number[] = [];
  const seen = await withClients(async (clients) => {
    await clients.until("first");
    for (const [name, path] of [
      ["second", "door/head.bin"],
      ["second-renamed", "door/labels.txt"],
      ["first-renamed", "door/head.bin"],
    ] as const) {
      put(name, path);
      times.push(await clients.until(name));
    }
    rmSync(join(models, "door/labels.txt"));
    times.push(await clients.until("first"));
    const again = await runScript("model", ["teach", "door", photosOf("second"), "--models", models]);
    expect(again.code, again.err).toBe(0);
    times.push(await clients.until("again"));
  });
  expectWhole(seen);
  expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
  expect(Math.max(...times)).toBeLessThan(5000);
});

it("never mixes states while the base is replaced before its head, and the head before its base", async () => {
  const seen = await withClients(async (clients) => {
    for (const name of ["other-base", "first"]) {
      put(name, "tiny/model.tflite");
      await sleep(800); // no head fits now, and the index says so
      put(name, "door/head.bin");
      put(name, "door/model.json");
      await clients.until(name);
    }
    put("other-base", "door/head.bin");
    await sleep(800);
    put("other-base", "door/model.json");
    put("other-base", "tiny/model.tflite");
    await clients.until("other-base");
    put("first", "door/head.bin");
    put("first", "door/model.json");
    put("first", "tiny/model.tflite");
    await clients.until("first");
  });
  expectWhole(seen);
});

it("asks to come back, or labels as before, while files are copied slowly; says what stays broken", async () => {
  const seen = await withClients(async (clients) => {
    await copySlowly("second", "door/head.bin");
    await clients.until("second");
    await copySlowly("other-base", "tiny/model.tflite");
    put("other-base", "door/model.json");
    await copySlowly("other-base", "door/head.bin");
    await clients.until("other-base");
  });
  expectWhole(seen);
});

it("is gone when its folder is, with a 404, and there when it is copied back file by file", async () => {
  const labeler = await startServe({ state, models });
  const status = async () => {
    const response = await ask(labeler.url, pictures[0] as Buffer<ArrayBuffer>);
    expect([200, 404, 503], await response.clone().text()).toContain(response.status);
    expect(response.status === 503).toBe(response.headers.has("retry-after"));
    return response.status;
  };
  expect(await status()).toBe(200);
  for (const file of readdirSync(join(models, "door"))) {
    rmSync(join(models, "door", file));
    await sleep(700);
    await status();
  }
  rmSync(join(models, "door"), { recursive: true });
  await expect.poll(status, { interval: 100 }).toBe(404);
  mkdirSync(join(models, "door"));
  writeFileSync(join(models, "door", "model.json"), source("second", "door/model.json"));
  await sleep(700);
  await status();
  await copySlowly("second", "door/head.bin");
  await expect.poll(status, { interval: 100 }).toBe(200);
  // What nobody goes on copying is an error that names the file.
  writeFileSync(join(models, "door", "head.bin"), source("second", "door/head.bin").subarray(0, 500));
  const last = async () => (await ask(labeler.url, noise(COLOURS.red, 77))).text();
  await expect.poll(last, { timeout: 15_000, interval: 200 }).toMatch(/model-unusable.*head/);
});
