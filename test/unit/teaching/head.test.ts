/** Taught heads: their answers, the round trip through a file, and damaged or hostile files. */
import { describe, expect, it } from "vitest";
import { Comparison } from "../../../worker/teaching/comparison.ts";
import { crc32 } from "../../../worker/teaching/crc32.ts";
import { keepExamples } from "../../../worker/teaching/examples.ts";
import { Head } from "../../../worker/teaching/head.ts";
import { readHead, writeHead } from "../../../worker/teaching/head-file.ts";
import { selfLikeness } from "../../../worker/teaching/kernel.ts";
import { layoutOf, sampleOf } from "../../../worker/teaching/sample.ts";
import { teachHead } from "../../../worker/teaching/teach.ts";
import { Random } from "../inference/random-graph.ts";
import { lessonOf, photoOf, statisticsOf } from "./made-up.ts";
import { plainMatrix } from "./plain-likeness.ts";

const best = (values: Float32Array) => values.indexOf(values.reduce((a, b) => Math.max(a, b)));

describe("a head", () => {
  const head = new Head(teachHead(lessonOf([8, 8, 8])).head);

  it("recognises other photos of its classes, and says what it does not know", () => {
    const random = new Random(99);
    let [right, unknown, found] = [0, 0, 0];
    for (let i = 0; i < 60; i++) {
      const { probabilities, isUnknown } = head.score(photoOf(i % 3, random));
      expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      right += Number(best(probabilities) === i % 3);
      unknown += Number(isUnknown);
      found += Number(head.score(photoOf(-1, random)).isUnknown);
    }
    expect(right).toBeGreaterThanOrEqual(58);
    expect(unknown).toBeLessThanOrEqual(12);
    expect(found).toBeGreaterThanOrEqual(55);
  });

  it("compares examples in 8 bits nearly as numbers of 64 bits are compared", () => {
    const random = new Random(6);
    const samples = Array.from({ length: 20 }, (_, i) => sampleOf(photoOf(i % 3, random), statisticsOf()));
    const layout = layoutOf(photoOf(0, random));
    const comparison = new Comparison(keepExamples(samples, layout));
    const [matrix, plain] = [comparison.matrix(), plainMatrix(samples, layout)];
    for (const [at, value] of plain.entries()) expect(Math.abs(matrix[at] - value)).toBeLessThan(0.01);
    const row = comparison.with(samples[4]);
    for (const [j, value] of row.entries()) expect(Math.abs(value - plain[4 * 20 + j])).toBeLessThan(0.01);
    // To the same photo it is as alike as can be.
    expect(row[4]).toBeCloseTo(selfLikeness(layout), 9);
  });

  it("does not know what is unlike its classes while one has fewer than three photos", () => {
    const small = new Head(teachHead(lessonOf([8, 2])).head);
    expect(small.score(photoOf(-1, new Random(1)))).toMatchObject({ isUnknown: false, novelty: undefined });
  });

  it.each([
    ["two classes", [4, 4]],
    ["one photo a class", [1, 1]],
    ["a class of one photo among others", [9, 1, 5]],
    ["a hundred classes", new Array<number>(100).fill(3)],
    ["very unequal classes", [60, 3]],
  ])("can be of %s", (_, sizes) => {
    const { head: data } = teachHead(lessonOf(sizes));
    const asked = new Head(data);
    // The class may have a single photo, and its prior with it: what counts is how much likelier it becomes.
    const meanOf = (index: number) => {
      const random = new Random(8);
      const all = Array.from({ length: 10 }, () => asked.score(photoOf(index, random)).probabilities);
      expect(all[0]).toHaveLength(sizes.length);
      return all.reduce((sum, probabilities) => sum + probabilities[1], 0) / all.length;
    };
    expect(meanOf(1)).toBeGreaterThan(meanOf(0) + 0.15);
  });

  it("can be of a base without earlier stages", () => {
    const widths = { pooled: 40, maxima: 40, late: 0, early: 0, probabilities: 50 };
    const { probabilities } = new Head(teachHead(lessonOf([5, 5], widths)).head).score(
      photoOf(1, new Random(8), widths),
    );
    expect(best(probabilities)).toBe(1);
  });

  it("refuses features of another network", () => {
    const other = photoOf(0, new Random(1), { pooled: 30, maxima: 30, late: 16, early: 12, probabilities: 50 });
    expect(() => head.score(other)).toThrow(
      /taught on base, whose features are pooled 40, .*; here they are pooled 30, /,
    );
  });

  it("cannot be of one class, or of a class without photos", () => {
    expect(() => teachHead(lessonOf([5]))).toThrow("there are 1 classes");
    expect(() => teachHead({ ...lessonOf([5, 5]), labels: ["a", "b", "c"] })).toThrow("class 2 has no examples");
  });
});

describe("the file of a head", () => {
  const lesson = lessonOf([5, 4, 6]);
  const file = writeHead(teachHead(lesson).head);

  it("is the same whenever the same is taught", () => {
    expect(writeHead(teachHead(lessonOf([5, 4, 6])).head)).toEqual(file);
  });

  it.each([[[5, 4, 6]], [[2, 2]]])("gives the head back that was written: %j photos", (sizes) => {
    const { head } = teachHead(lessonOf(sizes));
    const read = readHead(writeHead(head));
    expect(read).toEqual(head);
    const photo = photoOf(1, new Random(4));
    expect(new Head(read).score(photo)).toEqual(new Head(head).score(photo));
  });

  it("has about 3 KB a photo with the channels of EfficientNet-Lite0", () => {
    const widths = { pooled: 1280, maxima: 1280, late: 192, early: 112, probabilities: 1000 };
    const bytes = (count: number) => writeHead(teachHead(lessonOf([count, count], widths)).head).length;
    expect((bytes(8) - bytes(4)) / 8).toBeLessThan(3100);
  });

  /** The file with another description and a checksum that holds. */
  function altered(change: (json: Record<string, unknown>) => unknown, body?: (bytes: Uint8Array) => void): Uint8Array {
    const length = new DataView(file.buffer).getUint32(12, true);
    const json = JSON.parse(new TextDecoder().decode(file.subarray(16, 16 + length)));
    const text = new TextEncoder().encode(JSON.stringify(change(json) ?? json));
    const rest = file.subarray(Math.ceil((16 + length) / 8) * 8, -4);
    const start = Math.ceil((16 + text.length) / 8) * 8;
    const result = new Uint8Array(start + rest.length + 4);
    result.set(file.subarray(0, 16));
    result.set(text, 16);
    result.set(rest, start);
    body?.(result.subarray(start, -4));
    const view = new DataView(result.buffer);
    view.setUint32(12, text.length, true);
    view.setUint32(result.length - 4, crc32(result.subarray(0, -4)), true);
    return result;
  }

  const float = (value: number) => new Uint8Array(Float32Array.of(value).buffer);

  it.each([
    ["nothing", new Uint8Array(), /is no file of a head/],
    ["another file", new Uint8Array(200).fill(7), /is no file of a head/],
    ["the half of it", file.slice(0, file.length / 2), /has \d+ bytes, but its description makes \d+/],
    ["one byte more", Uint8Array.from([...file, 0]), /but its description makes/],
    ["another version", file.map((byte, i) => (i === 8 ? 9 : byte)), /has the version 9; this release reads 3/],
    ["a description beyond the end", file.map((byte, i) => (i === 14 ? 2 : byte)), /ends within its description/],
    ["a flipped bit", file.map((byte, i) => (i === file.length - 500 ? byte ^ 1 : byte)), /its checksum does not hold/],
    ["no JSON", file.map((byte, i) => (i === 16 ? 0x41 : byte)), /a description that is not JSON/],
    ["another field", altered((json) => ({ ...json, more: 1 })), /more/],
    ["a million photos", altered((json) => ({ ...json, examples: 1e6 })), /examples/],
    [
      "channels without end",
      altered((json) => ({ ...json, layout: { ...(json.layout as object), late: 1e9 } })),
      /late/,
    ],
    [
      "a label that is reserved",
      altered((json) => ({ ...json, labels: ["a", "unknown", "c"] })),
      /"unknown" is reserved/,
    ],
    ["a label with a line feed", altered((json) => ({ ...json, labels: ["a", "b\nc", "c"] })), /control character/],
    ["the same label twice", altered((json) => ({ ...json, labels: ["a", "b", "a"] })), /two classes of one name/],
    ["fewer labels than classes", altered((json) => ({ ...json, labels: ["a", "b"] })), /its description makes/],
    ["a temperature of 0", altered((json) => ({ ...json, temperature: 0 })), /temperature/],
    [
      "a path for a digest",
      altered((json) => ({ ...json, base: { ...(json.base as object), sha256: "../x" } })),
      /sha256/,
    ],
    [
      "no number in it",
      altered(
        () => undefined,
        (body) => body.set(float(Number.NaN), 0),
      ),
      /contains NaN or infinite numbers/,
    ],
    [
      "a deviation of 0",
      altered(
        () => undefined,
        (body) => body.fill(0, 320, 480),
      ),
      /deviations in it that are not above 0/,
    ],
  ])("is refused: %s", (_, bytes, reason) => {
    expect(() => readHead(bytes)).toThrow(reason);
    expect(() => readHead(bytes)).toThrow(expect.objectContaining({ kind: "model-unusable" }));
  });

  it("is refused within a second whatever is changed in it: 3000 changes", () => {
    const random = new Random(22);
    const found: unknown[] = [];
    let slowest = 0;
    for (let i = 0; i < 3000; i++) {
      const bytes = file.slice(0, i % 3 === 0 ? random.int(0, file.length - 1) : file.length);
      // Half of the changes are in the front, where the sizes are.
      const length = random.next() < 0.5 ? Math.min(400, bytes.length) : bytes.length;
      if (length > 0) bytes[random.int(0, length - 1)] ^= random.int(1, 255);
      const start = performance.now();
      try {
        found.push(readHead(bytes));
      } catch (error) {
        if ((error as { kind?: unknown }).kind !== "model-unusable") found.push(error);
      }
      slowest = Math.max(slowest, performance.now() - start);
    }
    expect(found).toEqual([]);
    expect(slowest).toBeLessThan(1000);
  });

  it("never does anything but be read or refused, whatever is changed in it", () => {
    const random = new Random(21);
    for (let i = 0; i < 300; i++) {
      const bytes = file.slice(0, random.next() < 0.3 ? random.int(0, file.length) : file.length);
      for (let k = 0; k < 3 && bytes.length > 0; k++) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      if (bytes.length > 24) new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
      try {
        new Head(readHead(bytes)).score(photoOf(0, random));
      } catch (error) {
        // Sizes that were changed alike can give another base, whose features these are not.
        expect(error).toMatchObject({ kind: "model-unusable" });
      }
    }
  });
});
