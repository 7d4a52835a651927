/** A network with a single score, as it tells two classes apart; see scripts/fixtures/tflite_ops.py. */
import { describe, expect, it } from "vitest";
import { Classifier } from "../../../worker/model/classifier.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture, fixtureJson } from "../files.ts";
import type { Case } from "../inference/cases.ts";

const cases = (await fixtureJson<Case[]>("ops/cases.json")).filter(({ file }) => /tiny-(score|sigmoid)/.test(file));
const ALL = { top: 5, min: 0 };

const SPEC = JSON.stringify({ input: { mean: 127.5, std: 127.5 } });

const load = async (file: string, labels: string) =>
  Classifier.load({ tflite: await fixture(`ops/${file}`), labels, spec: SPEC });

/** The picture that the case's input was made of. */
const pixelsOf = ({ inputs: [{ data }] }: Case) => Uint8Array.from(data, (value) => Math.round(value * 127.5 + 127.5));

describe.each(cases)("$name", (example) => {
  const [{ data }] = example.outputs;
  const second = /sigmoid/.test(example.file) ? data[0] : 1 / (1 + Math.exp(-data[0]));

  it("gives both labels, the second as the score says", async () => {
    const classifier = await load(example.file, "cat\ndog\n");
    const labels = finish(classifier.classify(pixelsOf(example), ALL));
    const confidences = new Map(labels.map(({ label, confidence }) => [label, confidence]));
    expect(confidences.get("dog")).toBeCloseTo(second, 5);
    expect(confidences.get("cat")).toBeCloseTo(1 - second, 5);
    expect(labels[0].confidence).toBeGreaterThanOrEqual(labels[1].confidence);
    expect(() => finish(classifier.explain(pixelsOf(example), 1, ALL))).toThrow(
      expect.objectContaining({ kind: "no-explanation" }),
    );
  });

  it("gives one label its probability", async () => {
    const classifier = await load(example.file, "dog\n");
    expect(finish(classifier.classify(pixelsOf(example), ALL))).toEqual([
      { label: "dog", confidence: expect.closeTo(second, 5) },
    ]);
  });
});

it("is tested with two networks and two pictures", () => {
  expect(cases.length).toBe(4);
});

it("refuses a third label", async () => {
  const message = /3 lines, but the network has 1 class/;
  await expect(load("tiny-score.tflite", "a\nb\nc\n")).rejects.toMatchObject({
    message: expect.stringMatching(message),
  });
});
