/** The catalogue with a folder of models in memory, so that reads can be counted, fail and hang. */
import { describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { memory } from "../../../worker/inference/tfjs.bundle.js";
import { Catalogue } from "../../../worker/model/catalogue.ts";
import { ModelReplaced } from "../../../worker/model/index-files.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture } from "../files.ts";
import { encode, ModelFolder } from "./model-folder.ts";

const LABELS = encode("red\ngreen\nblue\ngrey\n");
const tiny = await fixture("ops/tiny-float.tflite");

/** A folder with the models a and b. */
const folderOf = (models: Parameters<typeof ModelFolder.of>[1] = [{ name: "a" }, { name: "b" }]) =>
  ModelFolder.of(
    { "a/model.tflite": tiny, "a/labels.txt": LABELS, "b/model.tflite": tiny, "b/labels.txt": LABELS },
    models,
  );

const image = new Uint8Array(8 * 8 * 3);

it("loads a model once for all that ask for it at once, and keeps it", async () => {
  const folder = await folderOf();
  const { source, keepAlive } = folder;
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  const classifiers = await Promise.all(Array.from({ length: 8 }, () => catalogue.get("a", source)));
  expect(new Set(classifiers).size).toBe(1);
  expect(await catalogue.get("a", source)).toBe(classifiers[0]);
  expect(folder.reads("a/model.tflite")).toBe(1);
  expect(keepAlive).toHaveBeenCalledTimes(1);
});

it("tries again when a load fails, once for the request and again for the next", async () => {
  const folder = await folderOf();
  const { source, read } = folder;
  const working = read.getMockImplementation();
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  read.mockRejectedValue(new Error("the network is down"));
  await expect(catalogue.get("a", source)).rejects.toMatchObject({
    kind: "model-unavailable",
    message: expect.stringMatching(/"a" could not be loaded: the network is down/),
  });
  if (working) read.mockImplementation(working);
  await expect(catalogue.get("a", source)).resolves.toMatchObject({ labels: ["red", "green", "blue", "grey"] });
  expect(folder.reads("a/model.tflite")).toBe(1);
});

it("does not wait for ever for a load that hangs with the request that started it", async () => {
  const folder = await folderOf();
  const { source, read } = folder;
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
  const folder = await folderOf();
  const { source } = folder;
  await initBackend();
  const before = memory().numTensors;
  const catalogue = new Catalogue({ cacheBytes: 1 });
  const a = await catalogue.get("a", source);
  const tensors = memory().numTensors;
  const b = await catalogue.get("b", source);
  expect([a.disposed, b.disposed]).toEqual([true, false]);
  expect(memory().numTensors).toBe(tensors);
  expect(finish((await catalogue.get("a", source)).classify(image, { top: 1, min: 0 })).length).toBe(1);
  expect(folder.reads("a/model.tflite")).toBe(2);
  (await catalogue.get("a", source)).dispose();
  expect(memory().numTensors).toBe(before);
});

it("holds each precision of a model by itself, and makes room by what each takes", async () => {
  const both = {
    name: "a",
    precisions: ["exact", "fast"],
    precision: "fast",
    memory: { exact: 1e6, fast: 1e6 },
  } as const;
  const folder = await folderOf([both]);
  const { source } = folder;
  const roomy = new Catalogue({ cacheBytes: 3e6 });
  const fast = await roomy.get("a", source);
  const exact = await roomy.get("a", source, "exact");
  expect(await roomy.get("a", source, "fast")).toBe(fast);
  expect(await roomy.get("a", source, "exact")).toBe(exact);
  expect([exact === fast, exact.disposed, fast.disposed]).toEqual([false, false, false]);
  expect(folder.reads("a/model.tflite")).toBe(2);
  await expect(roomy.get("a", source, "quantised")).rejects.toMatchObject({ kind: "bad-parameter" });
  const narrow = new Catalogue({ cacheBytes: 1e6 });
  const first = await narrow.get("a", source, "exact");
  const second = await narrow.get("a", source, "fast");
  expect([first.disposed, second.disposed]).toEqual([true, false]);
  for (const classifier of [fast, exact, second]) classifier.dispose();
});

it("labels without leaving a tensor behind", async () => {
  const { source } = await folderOf();
  const classifier = await new Catalogue({ cacheBytes: 1e6 }).get("a", source);
  const before = memory().numTensors;
  for (let i = 0; i < 50; i++) finish(classifier.classify(image, { top: 2, min: 0 }));
  expect(memory().numTensors).toBe(before);
});

it("says which models there are when one is asked for that there is not, having looked again", async () => {
  const folder = await folderOf();
  const { source } = folder;
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  await catalogue.get("a", source);
  await expect(catalogue.get("c", source)).rejects.toMatchObject({
    kind: "unknown-model",
    message: expect.stringMatching(/"c".*a, b/),
  });
  Object.assign(folder.files, { "c/model.tflite": tiny, "c/labels.txt": LABELS });
  await folder.index([{ name: "c" }]);
  await expect(catalogue.get("c", source)).resolves.toMatchObject({ disposed: false });
});

const OTHER = encode("un\ndeux\ntrois\nquatre\n");

describe("where models are replaced while the labeler runs", () => {
  const live = { cacheBytes: 1e6, indexAge: 20 };
  const later = () => scheduler.wait(30);

  it("has the new state with the next request after the index was read again, and not before", async () => {
    const folder = await folderOf();
    const { source } = folder;
    const [catalogue, deployed] = [new Catalogue(live), new Catalogue({ cacheBytes: 1e6 })];
    const before = await catalogue.get("a", source);
    await deployed.get("a", source);
    folder.files["a/labels.txt"] = OTHER;
    await folder.index([{ name: "a" }, { name: "b" }]);
    expect(await catalogue.get("a", source)).toBe(before);
    await later();
    expect((await catalogue.get("a", source)).labels).toEqual(["un", "deux", "trois", "quatre"]);
    expect((await catalogue.get("b", source)).labels).toContain("red");
    expect((await deployed.get("a", source)).labels).toContain("red");
    expect(before.disposed).toBe(true);
  });

  it("never loads files of two states: it waits for the index that fits them", async () => {
    const folder = await folderOf();
    const { source } = folder;
    const catalogue = new Catalogue(live);
    const entry = await catalogue.describe("a", source);
    folder.files["a/labels.txt"] = OTHER;
    const loaded = catalogue.load(entry, "exact", source).catch((error: unknown) => error);
    await scheduler.wait(50);
    await folder.index([{ name: "a" }]);
    expect(await loaded).toBeInstanceOf(ModelReplaced);
    expect((await catalogue.get("a", source)).labels).toContain("deux");
  });

  it("says that it is worth a retry where the index does not come", async () => {
    const folder = await folderOf();
    folder.files["a/labels.txt"] = OTHER;
    await expect(new Catalogue(live).get("a", folder.source)).rejects.toMatchObject({
      status: 503,
      retryAfter: 2,
      message: expect.stringMatching(/"a" is being replaced: a\/labels\.txt has changed/),
    });
  });

  it("keeps a loaded state while the files of the next one arrive, and refuses one that stays broken", async () => {
    const folder = await folderOf();
    const { source } = folder;
    const catalogue = new Catalogue(live);
    const before = await catalogue.get("a", source);
    const error = "labels.txt has 3 labels";
    await folder.index([
      { name: "a", version: "2", error, changing: true },
      { name: "b", version: "2", error, changing: true },
    ]);
    await later();
    expect(await catalogue.get("a", source)).toBe(before);
    await expect(catalogue.get("b", source)).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining(error),
    });
    await folder.index([{ name: "a", version: "2", error }]);
    await later();
    await expect(catalogue.get("a", source)).rejects.toMatchObject({ kind: "model-unusable", message: error });
  });

  it("labels on with what it has while the index is half written or away", async () => {
    const folder = await folderOf();
    const { source } = folder;
    const catalogue = new Catalogue(live);
    const before = await catalogue.get("a", source);
    folder.files["index.json"] = encode('{"models":[{"na');
    await later();
    expect(await catalogue.get("a", source)).toBe(before);
    await expect(new Catalogue(live).get("a", source)).rejects.toMatchObject({ status: 503, retryAfter: 1 });
    delete folder.files["index.json"];
    await later();
    expect(await catalogue.get("a", source)).toBe(before);
  });

  it("gives what derives from a replaced base a base of its own version, or none", async () => {
    const spec = encode('{"base":"a","only":["red"]}');
    const models = [{ name: "a" }, { name: "d", base: "a" }];
    const folder = await ModelFolder.of(
      { "a/model.tflite": tiny, "a/labels.txt": LABELS, "d/model.json": spec },
      models,
    );
    const { source } = folder;
    const catalogue = new Catalogue(live);
    const entry = await catalogue.describe("d", source);
    const before = await catalogue.load(entry, "exact", source);
    expect(before.labels).toEqual(["red"]);
    folder.files["a/labels.txt"] = OTHER;
    folder.files["d/model.json"] = encode('{"base":"a","only":["un"]}');
    await folder.index(models);
    await later();
    await catalogue.get("a", source);
    await expect(catalogue.load(entry, "exact", source)).rejects.toBeInstanceOf(ModelReplaced);
    expect((await catalogue.get("d", source)).labels).toEqual(["un"]);
  });
});
