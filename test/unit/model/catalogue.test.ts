/** The catalogue with a folder of models in memory, so that reads can be counted, fail and hang. */
import { expect, it, vi } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { memory } from "../../../worker/inference/tfjs.bundle.js";
import { Catalogue, type ModelSource } from "../../../worker/model/catalogue.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture } from "../files.ts";

const encode = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const LABELS = encode("red\ngreen\nblue\ngrey\n");
const tiny = await fixture("ops/tiny-float.tflite");
const entry = (name: string) => ({ name, files: ["labels.txt"], bytes: tiny.length, sha256: "" });

/** A folder with the models a and b; `read` may be replaced to make it fail. */
function folder() {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {
    "index.json": encode(JSON.stringify({ models: [entry("a"), entry("b")] })),
    "a/model.tflite": tiny,
    "a/labels.txt": LABELS,
    "b/model.tflite": tiny,
    "b/labels.txt": LABELS,
  };
  const read = vi.fn(async (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> => files[path]);
  const keepAlive = vi.fn((work: Promise<unknown>) => void work);
  const source: ModelSource = { read: (path) => read(path), keepAlive };
  return { source, read, keepAlive, reads: (path: string) => read.mock.calls.filter(([p]) => p === path).length };
}

const image = new Uint8Array(8 * 8 * 3);

it("loads a model once for all that ask for it at once, and keeps it", async () => {
  const { source, reads, keepAlive } = folder();
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  const classifiers = await Promise.all(Array.from({ length: 8 }, () => catalogue.get("a", source)));
  expect(new Set(classifiers).size).toBe(1);
  expect(await catalogue.get("a", source)).toBe(classifiers[0]);
  expect(reads("a/model.tflite")).toBe(1);
  expect(keepAlive).toHaveBeenCalledTimes(1);
});

it("tries again when a load fails, once for the request and again for the next", async () => {
  const { source, read, reads } = folder();
  const working = read.getMockImplementation();
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  read.mockRejectedValue(new Error("the network is down"));
  await expect(catalogue.get("a", source)).rejects.toMatchObject({
    kind: "model-unavailable",
    message: expect.stringMatching(/"a" could not be loaded: the network is down/),
  });
  if (working) read.mockImplementation(working);
  await expect(catalogue.get("a", source)).resolves.toMatchObject({ labels: ["red", "green", "blue", "grey"] });
  expect(reads("a/model.tflite")).toBe(1);
});

it("does not wait for ever for a load that hangs with the request that started it", async () => {
  const { source, read } = folder();
  const working = read.getMockImplementation();
  const catalogue = new Catalogue({ cacheBytes: 1e6, deadline: 50 });
  read.mockImplementation(() => new Promise(() => undefined));
  const hung = catalogue.get("a", source).catch((error: unknown) => error);
  await scheduler.wait(10);
  if (working) read.mockImplementation(working);
  await expect(catalogue.get("a", source)).resolves.toMatchObject({ disposed: false });
  await expect(hung).resolves.toMatchObject({ disposed: false });
});

it("makes room for what does not fit beside it, and labels with it again when asked", async () => {
  const { source, reads } = folder();
  await initBackend();
  const before = memory().numTensors;
  const catalogue = new Catalogue({ cacheBytes: 1 });
  const a = await catalogue.get("a", source);
  const tensors = memory().numTensors;
  const b = await catalogue.get("b", source);
  expect([a.disposed, b.disposed]).toEqual([true, false]);
  expect(memory().numTensors).toBe(tensors);
  expect(finish((await catalogue.get("a", source)).classify(image, { top: 1, min: 0 })).length).toBe(1);
  expect(reads("a/model.tflite")).toBe(2);
  (await catalogue.get("a", source)).dispose();
  expect(memory().numTensors).toBe(before);
});

it("holds each precision of a model by itself, and makes room by what each takes", async () => {
  const { source, read, reads } = folder();
  const working = read.getMockImplementation();
  const both = { ...entry("a"), precisions: ["exact", "fast"], precision: "fast", memory: { exact: 1e6, fast: 1e6 } };
  const index = encode(JSON.stringify({ models: [both] }));
  read.mockImplementation(async (path) => (path === "index.json" ? index : working?.(path)));
  const roomy = new Catalogue({ cacheBytes: 3e6 });
  const fast = await roomy.get("a", source);
  const exact = await roomy.get("a", source, "exact");
  expect(await roomy.get("a", source, "fast")).toBe(fast);
  expect(await roomy.get("a", source, "exact")).toBe(exact);
  expect([exact === fast, exact.disposed, fast.disposed]).toEqual([false, false, false]);
  expect(reads("a/model.tflite")).toBe(2);
  await expect(roomy.get("a", source, "quantised")).rejects.toMatchObject({ kind: "bad-parameter" });
  const narrow = new Catalogue({ cacheBytes: 1e6 });
  const first = await narrow.get("a", source, "exact");
  const second = await narrow.get("a", source, "fast");
  expect([first.disposed, second.disposed]).toEqual([true, false]);
  for (const classifier of [fast, exact, second]) classifier.dispose();
});

it("labels without leaving a tensor behind", async () => {
  const { source } = folder();
  const classifier = await new Catalogue({ cacheBytes: 1e6 }).get("a", source);
  const before = memory().numTensors;
  for (let i = 0; i < 50; i++) finish(classifier.classify(image, { top: 2, min: 0 }));
  expect(memory().numTensors).toBe(before);
});

it("says which models there are when one is asked for that there is not, having looked again", async () => {
  const { source, read } = folder();
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  await catalogue.get("a", source);
  await expect(catalogue.get("c", source)).rejects.toMatchObject({
    kind: "unknown-model",
    message: expect.stringMatching(/"c".*a, b/),
  });
  read.mockImplementation(async (path) =>
    path === "index.json" ? encode(JSON.stringify({ models: [entry("c")] })) : path.endsWith(".txt") ? LABELS : tiny,
  );
  await expect(catalogue.get("c", source)).resolves.toMatchObject({ disposed: false });
});
