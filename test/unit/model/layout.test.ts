/** Networks whose input is not [1, height, width, 3]; see scripts/fixtures/tflite_ops.py. */
import { describe, expect, it } from "vitest";
import { Classifier } from "../../../worker/model/classifier.ts";
import { layoutOf } from "../../../worker/model/layout.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { fixture, fixtureJson } from "../files.ts";
import type { Case } from "../inference/cases.ts";

/** The range of the cases, with which the networks were not trained. */
const spec = JSON.stringify({ input: { mean: 127.5, std: 127.5 } });
const LABELS = "red\ngreen\nblue\ngrey\n";
const cases = await fixtureJson<Case[]>("ops/cases.json");

/** The picture that the case's input was made of, [height, width, 3]. */
function pictureOf({ inputs: [{ data, shape }] }: Case): Uint8Array {
  const bytes = data.map((value) => Math.round(value * 127.5 + 127.5));
  const places = 64;
  const at =
    shape[3] === 1 || shape.length === 3 ? (i: number) => i : (i: number, channel: number) => channel * places + i;
  return Uint8Array.from({ length: 3 * places }, (_, i) => bytes[at(Math.floor(i / 3), i % 3)]);
}

describe.each(["tiny-planes", "tiny-grey", "tiny-matrix"])("%s", (name) => {
  const some = cases.filter(({ file }) => file === `${name}.tflite`);

  it("labels pictures as TensorFlow Lite does", async () => {
    const classifier = await Classifier.load({ tflite: await fixture(`ops/${name}.tflite`), labels: LABELS, spec });
    expect(some.length).toBe(2);
    for (const example of some) {
      const probabilities = finish(classifier.scores(pictureOf(example))).confidences;
      for (const [i, value] of example.outputs[0].data.entries()) expect(probabilities[i]).toBeCloseTo(value, 5);
    }
    expect(() => finish(classifier.scoresOf(new Float32Array(192)))).toThrow(/send pixels as UINT8/);
    classifier.dispose();
  });
});

it.each(["tiny-float", "tiny-planes"])(
  "%s with blue first gives what it gives a picture with red and blue swapped",
  async (name) => {
    const tflite = await fixture(`ops/${name}.tflite`);
    // A mean and a deviation for each colour, which stay those of red, green and blue.
    const input = { mean: [120, 110, 100], std: [60, 70, 80] };
    const turned = { mean: input.mean.toReversed(), std: input.std.toReversed() };
    const [bgr, rgb] = await Promise.all(
      [JSON.stringify({ input, order: "bgr" }), JSON.stringify({ input: turned })].map((stated) =>
        Classifier.load({ tflite, labels: LABELS, spec: stated }),
      ),
    );
    const picture = Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256);
    const swapped = picture.map((_, i) => picture[i - (i % 3) + 2 - (i % 3)]);
    const scores = (classifier: Classifier, pixels: Uint8Array) => [...finish(classifier.scores(pixels)).confidences];
    expect(scores(bgr, picture)).toEqual(scores(rgb, swapped));
    expect(scores(bgr, picture)).not.toEqual(scores(rgb, picture));
    for (const classifier of [bgr, rgb]) classifier.dispose();
  },
);

it("grey is that of ITU-R 601, rounded as Pillow does it", async () => {
  const classifier = await Classifier.load({ tflite: await fixture("ops/tiny-grey.tflite"), labels: LABELS });
  const filled = (...rgb: number[]) =>
    finish(classifier.scores(Uint8Array.from({ length: 192 }, (_, i) => rgb[i % 3]))).confidences.slice();
  // Image.new("RGB", (8, 8), (200, 30, 90)).convert("L") has 88 everywhere.
  expect(filled(200, 30, 90)).toEqual(filled(88, 88, 88));
  expect(filled(200, 30, 90)).not.toEqual(filled(89, 89, 89));
});

it.each([
  [[1, 4, 6, 3], { height: 4, width: 6, layout: "rgb" }],
  [[1, 3, 6, 3], { height: 3, width: 6, layout: "rgb" }],
  [[1, 3, 4, 6], { height: 4, width: 6, layout: "planes" }],
  [[1, 28, 28, 1], { height: 28, width: 28, layout: "grey" }],
  [[1, 1, 28, 28], { height: 28, width: 28, layout: "grey" }],
  [[1, 28, 28], { height: 28, width: 28, layout: "grey" }],
  [[1, 28, 28, 4], undefined],
  [[2, 28, 28, 3], undefined],
  [[28, 28, 3], undefined],
])("an input of shape %j is %j", (shape, expected) => {
  expect(layoutOf(shape)).toEqual(expected);
});
