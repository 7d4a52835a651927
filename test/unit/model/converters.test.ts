/** Networks as today's converters write them give LiteRT's scores, operator by operator and as a plan. */
import { describe, expect, it } from "vitest";
import { Classifier } from "../../../worker/model/classifier.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { notesOn, rangeOf } from "../../../worker/model/notes.ts";
import { computationOf } from "../../../worker/model/precision.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture, fixtureJson } from "../files.ts";

interface Cases {
  /** [16, 16, 3]. */
  readonly picture: number[];
  readonly cases: readonly { readonly name: string; readonly output: number[] }[];
}

const { picture, cases } = await fixtureJson<Cases>("converters/cases.json");
const read = (name: string) => fixture(`converters/${name}.tflite`);

/** The pictures of float networks were given as 0…1. */
const SPEC = '{"input": {"mean": 0, "std": 255}, "output": "probabilities"}';

describe.each(cases)("$name", ({ name, output }) => {
  it("gives the scores of LiteRT", async () => {
    const tflite = await read(name);
    const model = await inspectModel({ tflite, spec: SPEC });
    const { precisions } = computationOf(model.graph);
    const classifier = await Classifier.load({ tflite, spec: SPEC }, precisions[0]);
    try {
      const { confidences } = finish(classifier.scores(Uint8Array.from(picture)));
      expect(confidences.length).toBe(4);
      const tolerance = precisions[0] === "quantised" ? 1 / 256 : 1e-5;
      for (const [i, score] of output.entries()) {
        expect(Math.abs((confidences[i] ?? 0) - score), `${confidences} and ${output}`).toBeLessThanOrEqual(
          tolerance * Math.max(1, Math.abs(score)),
        );
      }
    } finally {
      classifier.dispose();
    }
  });

  it("is computed by a plan", async () => {
    const { engine, noPlan } = computationOf((await inspectModel({ tflite: await read(name) })).graph);
    expect(noPlan).toBeUndefined();
    expect(engine).toBe("plan");
  });
});

it("says which networks are multi-label, and whose outputs are logits", async () => {
  const { multiLabel, output } = await inspectModel({ tflite: await read("multi-label") });
  expect({ multiLabel, output }).toEqual({ multiLabel: true, output: "probabilities" });
  expect(await inspectModel({ tflite: await read("logits") })).toMatchObject({ multiLabel: false, output: "logits" });
  expect(await inspectModel({ tflite: await read("float32") })).toMatchObject({
    multiLabel: false,
    output: "probabilities",
  });
});

it("notes that a softmax is assumed for logits, until model.json says what the output is", async () => {
  const notes = async (name: string, spec?: string) => notesOn(await inspectModel({ tflite: await read(name), spec }));
  const note = expect.stringContaining('put {"output": "multi-label-logits"} into model.json');
  expect(await notes("logits")).toContainEqual(note);
  for (const output of ["logits", "multi-label-logits", "probabilities"]) {
    expect(await notes("logits", JSON.stringify({ output }))).not.toContainEqual(note);
  }
  for (const name of ["multi-label", "float32"]) expect(await notes(name)).not.toContainEqual(note);
});

it("applies a sigmoid to each logit of a multi-label network, where model.json says that it is one", async () => {
  const spec = '{"input": {"mean": 0, "std": 255}, "output": "multi-label-logits"}';
  const logits = cases.find(({ name }) => name === "logits")?.output ?? [];
  const tflite = await read("logits");
  expect((await inspectModel({ tflite, spec })).multiLabel).toBe(true);
  const classifier = await Classifier.load({ tflite, spec });
  try {
    const { confidences } = finish(classifier.scores(Uint8Array.from(picture)));
    expect([...confidences]).toEqual(logits.map((logit) => expect.closeTo(1 / (1 + Math.exp(-logit)), 5)));
  } finally {
    classifier.dispose();
  }
});

it.each(["rescaling", "normalization"])("sees the range of %s", async (name) => {
  const { input } = await inspectModel({ tflite: await read(name) });
  expect(input.guessed).toBe(false);
  expect(rangeOf(input)).toBe("0…255");
});

it("leaves out labels below the min of model.json, and refuses one of a label that is not there", async () => {
  const tflite = await read("multi-label");
  const labels = "a\nb\nc\nd\n";
  const classifier = await Classifier.load({ tflite, labels, spec: '{"min": {"a": 0.99, "b": 0.3}}' });
  try {
    const { vocabulary } = await inspectModel({ tflite, labels, spec: '{"min": 0.5}' });
    expect(vocabulary.least).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(classifier.labels).toEqual(["a", "b", "c", "d"]);
  } finally {
    classifier.dispose();
  }
  await expect(inspectModel({ tflite, labels, spec: '{"min": {"A": 0.5}}' })).rejects.toThrow(
    /model\.json, min: there is no label "A"\. Did you mean "a"/,
  );
  await expect(inspectModel({ tflite, labels, spec: '{"min": 2}' })).rejects.toThrow(/min.*between 0 and 1/);
});
