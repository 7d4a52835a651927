/** Whole networks compared with native TensorFlow Lite, on Pillow's pixels and from image files. */
import { describe, expect, it } from "vitest";
import { decodeToInput } from "../../../worker/image/decode.ts";
import { Classifier } from "../../../worker/model/classifier.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
import { finish } from "../../../worker/runtime/parts.ts";
import { hasReference, reference, referenceJson } from "../files.ts";
import { referencePixels } from "../reference-pixels.ts";

interface Golden {
  file: string;
  top5: { index: number; label: string; confidence: number }[];
}

const CLASSES = 1001;

async function load(model: string): Promise<Classifier> {
  const labels = new TextDecoder().decode(await reference("models/labels_mobilenet_v1_1.0_224.txt"));
  return Classifier.load({ tflite: await reference(`models/${model}`), labels });
}

const argmax = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
};

describe.runIf(hasReference)("MobileNet v1 float", () => {
  it("gives the top five of all 114 images in TensorFlow Lite's order, confidences within 1e-5", async () => {
    const golden = await referenceJson<{ images: Golden[]; imagenet_sample: Golden[] }>(
      "golden/mobilenet_v1_1.0_224.json",
    );
    const classifier = await load("mobilenet_v1_1.0_224.tflite");
    const images = [...golden.images, ...golden.imagenet_sample];
    expect(images.length).toBe(114);
    let worst = 0;
    for (const { file, top5 } of images) {
      const labels = finish(
        classifier.classify(await referencePixels(`golden/reference224/${file}.png`), { top: 5, min: 0 }),
      );
      expect(labels.map(({ label }) => label)).toEqual(top5.map(({ label }) => label));
      worst = Math.max(worst, ...labels.map(({ confidence }, i) => Math.abs(confidence - top5[i].confidence)));
    }
    console.log(`largest difference in confidence: ${worst.toExponential(1)}`);
    expect(worst).toBeLessThan(1e-5);
    classifier.dispose();
  });
});

describe.runIf(hasReference)("from file to label", () => {
  /** Decodes and labels all 114 files. @returns How many top-1 labels are right, and the largest differences. */
  async function labelFiles(scale: "auto" | "full") {
    const golden = await referenceJson<Record<"images" | "imagenet_sample", Golden[]>>(
      "golden/mobilenet_v1_1.0_224.json",
    );
    const classifier = await load("mobilenet_v1_1.0_224.tflite");
    const result = { images: 0, right: 0, scaled: 0, worst: 0, worstScaled: 0 };
    for (const [folder, list] of [
      ["images", golden.images],
      ["imagenet-sample", golden.imagenet_sample],
    ] as const) {
      for (const { file, top5 } of list) {
        const options = { width: 224, height: 224, crop: "squash", exif: "ignore", maxPixels: 1e8, scale } as const;
        const { pixels, eighths } = await decodeToInput(
          new ByteStream([await reference(`${folder}/${file}`)]),
          options,
        );
        const labels = finish(classifier.classify(pixels, { top: 1001, min: 0 }));
        result.images++;
        if (labels[0].label === top5[0].label) result.right++;
        const confidences = new Map(labels.map(({ label, confidence }) => [label, confidence]));
        const differences = top5.map(({ label, confidence }) => Math.abs((confidences.get(label) ?? 0) - confidence));
        if (eighths === 8) result.worst = Math.max(result.worst, ...differences);
        else result.worstScaled = Math.max(result.worstScaled, ...differences);
        if (eighths !== 8) result.scaled++;
      }
    }
    classifier.dispose();
    console.log(`${scale}: ${JSON.stringify(result)}`);
    return result;
  }

  it("all 114 top-1 labels are TensorFlow Lite's and Pillow's, confidences within 1e-5 at full scale", async () => {
    const { images, right, worst, scaled } = await labelFiles("full");
    expect([images, right, scaled]).toEqual([114, 114, 0]);
    expect(worst).toBeLessThan(1e-5);
  });

  it("all 114 top-1 labels are the same at the scale that the service picks, confidences within 0.03 where it is smaller", async () => {
    const { images, right, scaled, worst, worstScaled } = await labelFiles("auto");
    expect([images, right]).toEqual([114, 114]);
    expect(scaled).toBeGreaterThan(0);
    expect(worst).toBeLessThan(1e-5);
    expect(worstScaled).toBeLessThan(0.03);
  });
});

describe.runIf(hasReference)("quantised networks have native TensorFlow Lite's top-1 label on all 100 images", () => {
  /** The images on which they have not. `input` gives a network's pixels. */
  async function differing(model: string, input: (file: string, classifier: Classifier) => Promise<Uint8Array>) {
    const { imagenet_sample } = await referenceJson<{ imagenet_sample: Golden[] }>("golden/mobilenet_v1_1.0_224.json");
    expect(imagenet_sample.length).toBe(100);
    const native = await reference(`golden/raw/${model}.u8`);
    const classifier = await load(`${model}.tflite`);
    const files: string[] = [];
    for (const [row, { file }] of imagenet_sample.entries()) {
      const outputs = native.subarray(row * CLASSES, (row + 1) * CLASSES);
      // Of labels with the same byte either may come first.
      const best = argmax(finish(classifier.scores(await input(file, classifier))).confidences);
      if (outputs[best] !== Math.max(...outputs)) files.push(file);
    }
    classifier.dispose();
    return files;
  }

  it.each(["mobilenet_quant_v1_224", "mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq"])(
    "%s",
    async (model) => {
      expect(await differing(model, (file) => referencePixels(`golden/reference224/${file}.png`))).toEqual([]);
    },
  );

  it.each(["mobilenet_v1_0.75_192_quant", "mobilenet_v1_0.25_128_quant"])(
    "%s, of another input size, on photos that we decode and resize",
    async (model) => {
      const decoded = async (file: string, { input: { width, height } }: Classifier) => {
        const options = { width, height, crop: "squash", exif: "ignore", maxPixels: 4e6, scale: "full" } as const;
        return (await decodeToInput(new ByteStream([await reference(`imagenet-sample/${file}`)]), options)).pixels;
      };
      expect(await differing(model, decoded)).toEqual([]);
    },
  );
});
