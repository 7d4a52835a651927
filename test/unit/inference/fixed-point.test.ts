/** TensorFlow Lite's fixed-point multipliers, as the plan and the executor use them. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { fixedPoint, multiplyFixed } from "../../../worker/inference/fixed-point.ts";
import { requantize } from "../../../worker/inference/requantize.ts";
import * as tf from "../../../worker/inference/tfjs.bundle.js";
import { multiplyByQuantizedMultiplier } from "./plan-reference.ts";

beforeAll(initBackend);

/** The double before a power of two. */
const below = (power: number): number => power * (1 - 2 ** -53);

/** Multipliers about powers of two, where the exponent changes, and others of many sizes. */
const MULTIPLIERS = [
  ...[-20, -10, -3, -2, -1, 0, 1, 2, 5].flatMap((n) => [2 ** n, below(2 ** n), 2 ** n * (1 + 2 ** -52), 1.5 * 2 ** n]),
  ...Array.from({ length: 200 }, (_, i) => ((i * 0.618034) % 1) * 2 ** -(i % 17) + 1e-7),
];
const SUMS = [0, 1, -1, 2, -3, 127, -128, 1000, -1001, 65_535, -65_536, 1_048_577, -4_194_303];

describe("fixedPoint", () => {
  it("is QuantizeMultiplier: a fraction of 31 bits and a shift", () => {
    expect(fixedPoint(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(fixedPoint(0.75)).toEqual({ multiplier: 0.75 * 2 ** 31, shift: 0 });
    expect(fixedPoint(1)).toEqual({ multiplier: 2 ** 30, shift: -1 });
    expect(fixedPoint(6)).toEqual({ multiplier: 0.75 * 2 ** 31, shift: -3 });
    expect(fixedPoint(0.1)).toEqual({ multiplier: Math.round(1.6 * 2 ** 30), shift: 3 });
  });

  it.each([-20, -3, -1, 0, 1, 7])("rounds what lies just below 2^%i up to it, and takes the next exponent", (n) => {
    expect(fixedPoint(below(2 ** n))).toEqual(fixedPoint(2 ** n));
    expect(fixedPoint(2 ** n * (1 - 2 ** -31))).toEqual({ multiplier: 2 ** 31 - 1, shift: 0 - n });
  });

  it("is zero below 2^-32, where all bits would be shifted out", () => {
    expect(fixedPoint(2 ** -32)).toEqual({ multiplier: 2 ** 30, shift: 31 });
    expect(fixedPoint(below(2 ** -32))).toEqual({ multiplier: 2 ** 30, shift: 31 });
    for (const real of [0.99 * 2 ** -32, 2 ** -33, 1e-300, Number.MIN_VALUE]) {
      expect(fixedPoint(real), `${real}`).toEqual({ multiplier: 0, shift: 0 });
    }
  });
});

describe("multiplied by fixed-point multipliers, sums become what gemmlowp makes of them", () => {
  const expected = (sum: number, real: number) => multiplyByQuantizedMultiplier(sum, real, false);

  it("in the plan", () => {
    for (const real of MULTIPLIERS) {
      for (const sum of SUMS)
        expect(multiplyFixed(sum, fixedPoint(real)), `${sum} · ${real}`).toBe(expected(sum, real));
    }
  });

  it("in the executor's kernel", () => {
    // No float32 holds larger results.
    const multipliers = MULTIPLIERS.filter((real) => real < 4);
    const values = SUMS.flatMap((sum) => multipliers.map(() => sum));
    const x = tf.tensor(values, [SUMS.length, multipliers.length]);
    const y = requantize(x, { multipliers, rounding: "fixed", low: -(2 ** 24), high: 2 ** 24 });
    expect([...y.dataSync()]).toEqual(SUMS.flatMap((sum) => multipliers.map((real) => expected(sum, real))));
    for (const tensor of [x, y]) tensor.dispose();
  });
});
