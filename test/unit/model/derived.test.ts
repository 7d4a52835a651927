/** Derived models in a catalogue: they share the weights of their base, and use a taught head where there is one. */
import { expect, it } from "vitest";
import { Catalogue, type ModelSource } from "../../../worker/model/catalogue.ts";
import { Classifier } from "../../../worker/model/classifier.ts";
import type { ClassifierHead } from "../../../worker/model/classifier-head.ts";
import { Heads } from "../../../worker/model/heads.ts";
import { makeVocabulary } from "../../../worker/model/vocabulary.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture } from "../files.ts";
import { encode, ModelFolder } from "./model-folder.ts";

const LABELS = "red\ngreen\nblue\ngrey\n";
const tiny = await fixture("ops/tiny-float.tflite");
const image = new Uint8Array(8 * 8 * 3).fill(99);
const ALL = { top: 9, min: 0 };

const DERIVED = {
  warm: '{"base":"a","groups":{"warm":["red","blue"]},"only":["warm"]}',
  sure: '{"base":"a","unknown":1}',
  filed: '{"base":"a","groups":"groups.txt"}',
};

const folderOf = () =>
  ModelFolder.of(
    {
      "a/model.tflite": tiny,
      "a/labels.txt": encode(LABELS),
      "a/groups.txt": encode("[cold]\ngreen\ngrey\n"),
      ...Object.fromEntries(Object.entries(DERIVED).map(([name, json]) => [`${name}/model.json`, encode(json)])),
    },
    [{ name: "a" }, ...Object.keys(DERIVED).map((name) => ({ name, base: "a" }))],
  );

const labelsOf = async (catalogue: Catalogue, name: string, source: ModelSource) =>
  finish((await catalogue.get(name, source)).classify(image, ALL));

it("loads the base once for all that derive from it, which keep no bytes of their own", async () => {
  const folder = await folderOf();
  const { source } = folder;
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  const plain = await labelsOf(catalogue, "a", source);
  const before = catalogue.residentBytes;
  const [warm, sure, filed] = await Promise.all(
    ["warm", "sure", "filed"].map((name) => labelsOf(catalogue, name, source)),
  );
  expect(folder.reads("a/model.tflite")).toBe(1);
  expect(before).toBeGreaterThan(0);
  expect(catalogue.residentBytes).toBe(before);
  const of = (name: string) => plain.find(({ label }) => label === name)?.confidence ?? 0;
  expect(warm).toEqual([{ label: "warm", confidence: expect.closeTo(of("red") + of("blue"), 6) }]);
  expect(sure).toEqual([{ label: "unknown", confidence: expect.closeTo(1 - plain[0].confidence, 6) }]);
  expect(filed).toContainEqual({ label: "cold", confidence: expect.closeTo(of("green") + of("grey"), 6) });
});

it("gets its base anew where that had to make room", async () => {
  const folder = await folderOf();
  const { source } = folder;
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  const first = await catalogue.get("warm", source);
  const expected = finish(first.classify(image, ALL));
  first.dispose(); // a derived model has no weights of its own to free
  expect(first.disposed).toBe(false);
  (await catalogue.get("a", source)).dispose();
  expect(first.disposed).toBe(true);
  expect(await labelsOf(catalogue, "warm", source)).toEqual(expected);
  expect(folder.reads("a/model.tflite")).toBe(2);
});

it("answers with the classes of a taught head, which scores the features of its base", async () => {
  const base = await Classifier.load({ tflite: tiny, labels: LABELS });
  let unknown = false;
  const head: ClassifierHead = {
    labels: ["open", "closed", "none"],
    base: { name: "a", sha256: "", precision: "exact", crop: "squash" },
    residentBytes: 300,
    score({ probabilities }) {
      const first = Math.min(0.75, probabilities[0]);
      return { probabilities: Float32Array.of(first, 0.75 - first, 0.25), isUnknown: unknown };
    },
  };
  const gate = base.derive(makeVocabulary(head.labels, { not: ["none"] }), new Heads(head));
  expect(gate.residentBytes).toBe(300);
  expect(gate.labels).toEqual(["open", "closed"]);
  const labels = finish(gate.classify(image, ALL));
  expect(labels.map(({ label }) => label).sort()).toEqual(["closed", "open"]);
  expect(labels.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(0.75, 6);
  unknown = true;
  expect(finish(gate.classify(image, ALL)).map(({ label }) => label)).toEqual(["unknown"]);
  expect(() => finish(gate.explain(image, 1, ALL))).toThrow(/A taught model has no map/);
});
