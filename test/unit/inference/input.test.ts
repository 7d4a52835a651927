/** Pixels as the input of a network: the value of each byte in its channel, in a plan and operator by operator. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { Executor } from "../../../worker/inference/executor.ts";
import { makePlan } from "../../../worker/inference/plan/plan.ts";
import { graphOf, Random, size } from "./random-graph.ts";

beforeAll(initBackend);

/** A network that gives what it is given: the maximum over one place. */
function identity(shape: readonly number[], type: "float32" | "uint8" | "int8") {
  const zero = type === "int8" ? -28 : 100;
  const quantization = type === "float32" ? undefined : { scale: [0.5], zeroPoint: [zero], axis: 0 };
  const tensor = { shape, type, quantization };
  const options = { padding: "valid", stride: [1, 1], size: [1, 1], activation: "NONE" } as const;
  return graphOf([tensor, tensor], { op: "MAX_POOL_2D", options });
}

/** Other values for each channel: floats of any kind, or integers less a zero point of 100 (−28 of int8). */
const levelsFor = (type: string) =>
  Float32Array.from({ length: 768 }, (_, i) => {
    if (type === "float32") return Math.fround(((i * 7919) % 1000) / 127.5 - 1);
    return ((i * 37 + (i >> 8)) % 256) - 100;
  });

describe.each(["float32", "uint8", "int8"] as const)("pixels of %s", (type) => {
  it.each([
    [1, 1],
    [1, 2],
    [2, 3],
    [5, 7],
    [33, 31],
  ])("%i×%i become what the levels of their channel say", (height, width) => {
    const shape = [1, height, width, 3];
    const random = new Random(height);
    const pixels = Uint8Array.from({ length: size(shape) }, () => random.int(0, 255));
    const levels = levelsFor(type);
    const expected = Float32Array.from(pixels, (pixel, i) => levels[256 * (i % 3) + pixel]);
    const graph = identity(shape, type);
    const precision = type === "float32" ? "exact" : "quantised";
    for (const runner of [makePlan(graph, { precision }), new Executor(graph)]) {
      expect(runner.run([{ pixels, levels, shape }])).toEqual([expected]);
      // A second image, of which nothing of the first is left.
      const black = runner.run([{ pixels: new Uint8Array(pixels.length), levels, shape }])[0];
      expect(black).toEqual(Float32Array.from(pixels, (_, i) => levels[256 * (i % 3)]));
      // Levels by which the bytes of a quantised network stay as they are, but for the last in the second run.
      const same = Float32Array.from({ length: 768 }, (_, i) => (i % 256) - 100);
      expect(runner.run([{ pixels, levels: same, shape }])[0]).toEqual(
        Float32Array.from(pixels, (pixel) => pixel - 100),
      );
      same[767] = -100;
      const white = runner.run([{ pixels: new Uint8Array(pixels.length).fill(255), levels: same, shape }])[0];
      expect(white).toEqual(Float32Array.from(pixels, (_, i) => (i % 3 === 2 ? -100 : 155)));
      runner.dispose();
    }
  });
});

it("a plan refuses pixels that are too few", () => {
  const shape = [1, 4, 4, 3];
  const plan = makePlan(identity(shape, "uint8"), { precision: "quantised" });
  const run = () => plan.run([{ pixels: new Uint8Array(47), levels: levelsFor("uint8"), shape }]);
  expect(run).toThrow(RangeError);
  plan.dispose();
});
