/**
 * The kernels of vunary.c and lut2.c, and the functions of vbinary.c and pool.c other than sums, compared with plain
 * loops.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { UNARY, type UnaryOperator } from "../../../worker/inference/operators/unary.ts";
import type { Operator, Quantization } from "../../../worker/tflite/graph.ts";
import { clamp, drawReduction, multiplyByQuantizedMultiplier, runPlan } from "./plan-reference.ts";
import { graphOf, Random, size } from "./random-graph.ts";

beforeAll(initBackend);

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

const one = (scale: number, zero: number): Quantization => ({
  scale: [Math.fround(scale)],
  zeroPoint: [zero],
  axis: 0,
});

/** An operator, as far as it says what is computed. */
type Described = Pick<Operator, "op" | "options">;

/** The options that make another function of an operator; most have none. */
const OPTIONS: { readonly [op: string]: readonly unknown[] } = {
  LEAKY_RELU: [0.2, 1.7, -0.5].map((alpha) => ({ alpha })),
  GELU: [true, false].map((approximate) => ({ approximate })),
};
const operators = Object.keys(UNARY).flatMap((op): Described[] => {
  return (OPTIONS[op] ?? [undefined]).map((options) => ({ op, options }));
});

describe.each(operators)("$op $options", (operator) => {
  const definition = UNARY[operator.op as keyof typeof UNARY] as UnaryOperator<unknown>;
  const of = definition.of(operator.options);
  const positive = Number.isNaN(of(-1));

  it("of floats of all magnitudes, to 1e-6 of them", () => {
    const random = new Random(1);
    for (const length of [1, 2, 3, 4, 5, 7, 8, 1000]) {
      const input = Float32Array.from({ length }, () => {
        const magnitude = 10 ** (6 * random.next() - 4);
        return (positive || random.next() < 0.5 ? 1 : -1) * Math.min(magnitude, 80);
      });
      const graph = graphOf([{ shape: [1, length] }, { shape: [1, length] }], operator);
      const output = runPlan(graph, { precision: "exact" }, input);
      expect(output.length).toBe(length);
      for (const [i, value] of output.entries()) {
        const expected = of(input[i]);
        // Where a function is small because greater numbers cancel each other, it is as near as those.
        const unit = Math.abs(operator.op === "GELU" ? input[i] : expected);
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * unit + 1e-30);
      }
    }
  });
});

it("functions of floats hold at the ends of what floats can be", () => {
  const ends = Float32Array.of(-3e38, -1000, -89, 0, 89, 1000, 3e38);
  const at = (operator: Described) =>
    runPlan(graphOf([{ shape: [1, 7] }, { shape: [1, 7] }], operator), { precision: "exact" }, ends);
  expect([...at({ op: "TANH", options: undefined })]).toEqual([-1, -1, -1, 0, 1, 1, 1]);
  expect([...at({ op: "ELU", options: undefined })]).toEqual([-1, -1, -1, 0, 89, 1000, Math.fround(3e38)]);
  const logistic = at({ op: "LOGISTIC", options: undefined });
  expect(Math.max(...logistic.subarray(0, 3))).toBeLessThan(1e-37);
  expect([...logistic.subarray(3)]).toEqual([0.5, 1, 1, 1]);
  for (const approximate of [true, false]) {
    const gelu = at({ op: "GELU", options: { approximate } });
    expect(Math.abs(gelu[1])).toBeLessThan(1e-30);
    expect([...gelu.subarray(3, 6)]).toEqual([0, 89, 1000]);
  }
});

it("LOG is exact at its ends, of subnormal numbers and beside 1, and has none of negative numbers", () => {
  const x = Float32Array.of(
    0,
    -0,
    Number.POSITIVE_INFINITY,
    -1,
    Number.NaN,
    1,
    1e-40,
    1e-45,
    3e38,
    1 + 2 ** -20,
    1 - 2 ** -20,
  );
  const graph = graphOf([{ shape: [1, 11] }, { shape: [1, 11] }], { op: "LOG", options: undefined });
  for (const [i, value] of runPlan(graph, { precision: "exact" }, x).entries()) {
    const expected = Math.log(x[i]);
    if (Number.isFinite(expected)) expect(Math.abs(value - expected)).toBeLessThanOrEqual(2e-7 * Math.abs(expected));
    else expect(value).toBe(expected);
  }
});

type Pair = "DIV" | "MAXIMUM" | "MINIMUM" | "SQUARED_DIFFERENCE" | "PRELU";
const PAIRS: { readonly [op in Pair]: (a: number, b: number) => number } = {
  DIV: (a, b) => a / b,
  MAXIMUM: Math.max,
  MINIMUM: Math.min,
  SQUARED_DIFFERENCE: (a, b) => (a - b) ** 2,
  PRELU: (a, b) => (a > 0 ? a : a * b),
};

/** A shape, and one that is spread over it. */
function shapes(random: Random): [number[], number[]] {
  const shape = [1, random.int(1, 5), random.int(1, 5), random.int(1, 19)];
  const other = random.pick([shape, [1, 1, 1, shape[3]], [shape[3]], [], [1], [1, shape[1], shape[2], 1]]);
  return [shape, other];
}

/** Which value of `inner` goes with the value at `index` of `outer`. */
function spread(outer: readonly number[], inner: readonly number[], index: number): number {
  const filled = [...Array.from({ length: outer.length - inner.length }, () => 1), ...inner];
  return filled.reduce((sum, dim, axis) => {
    const place = Math.floor(index / size(outer.slice(axis + 1))) % outer[axis];
    return sum * dim + (dim === 1 ? 0 : place);
  }, 0);
}

describe.each(Object.keys(PAIRS) as Pair[])("%s", (op) => {
  it.each(SEEDS)("of floats, of either order, seed %i", (seed) => {
    const random = new Random(seed);
    const [shape, other] = shapes(random);
    const activation = op === "DIV" ? random.pick(["NONE", "RELU", "RELU6"] as const) : "NONE";
    const a = random.floats(size(shape)).map((value) => 3 * value);
    const b = random.floats(size(other)).map((value) => value + Math.sign(value) * 0.2);
    // Slopes come second, and so here do constants as often as not.
    const swapped = op !== "PRELU" && random.next() < 0.5;
    const data = random.next() < 0.5 ? b : undefined;
    const [first, second] = [{ shape }, { shape: other, ...(data && { data }) }];
    const order = swapped ? [second, first] : [first, second];
    const options = op === "DIV" ? { activation } : undefined;
    const graph = graphOf([...order, { shape }], { op, options });
    const given = data ? [a] : swapped ? [b, a] : [a, b];
    const output = runPlan(graph, { precision: "exact" }, ...given);
    for (const [i, value] of output.entries()) {
      const y = b[spread(shape, other, i)];
      const expected = clamp(swapped ? PAIRS[op](y, a[i]) : PAIRS[op](a[i], y), activation);
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * Math.abs(expected));
    }
  });
});

it.each(SEEDS)("PRELU of int8, as TensorFlow Lite multiplies, seed %i", (seed) => {
  const random = new Random(seed);
  const [shape, other] = shapes(random);
  const [input, slopes, output] = [0.02, 0.004, 0.03].map((scale) => {
    return one(scale * (0.5 + random.next()), random.int(-128, 127));
  });
  const x = Float32Array.from({ length: size(shape) }, () => random.int(-128, 127) - input.zeroPoint[0]);
  const data = Int8Array.from({ length: size(other) }, () => random.int(-128, 127));
  const graph = graphOf(
    [
      { shape, type: "int8", quantization: input },
      { shape: other, quantization: slopes, data },
      { shape, type: "int8", quantization: output },
    ],
    { op: "PRELU", options: undefined },
  );
  const result = runPlan(graph, { precision: "quantised" }, x);
  const above = Math.fround(input.scale[0] / output.scale[0]);
  const below = Math.fround(Math.fround(input.scale[0] * slopes.scale[0]) / output.scale[0]);
  for (const [i, value] of result.entries()) {
    const slope = data[spread(shape, other, i)] - slopes.zeroPoint[0];
    const exact =
      x[i] >= 0
        ? multiplyByQuantizedMultiplier(x[i], above, false)
        : multiplyByQuantizedMultiplier(x[i] * slope, below, false);
    expect(value).toBe(Math.min(127 - output.zeroPoint[0], Math.max(-128 - output.zeroPoint[0], exact + 0))); // no -0
  }
});

describe.each(["SUM", "REDUCE_MAX"] as const)("%s", (op) => {
  it.each(SEEDS)("of floats and bytes over neighbouring axes, seed %i", (seed) => {
    const random = new Random(seed);
    const { shape, axes, keepDims, kept, outer } = drawReduction(random);
    const input = Float32Array.from({ length: size(shape) }, () => random.int(-40, 215));
    const reference = new Float32Array(size(kept)).fill(op === "SUM" ? 0 : Number.NEGATIVE_INFINITY);
    for (const [i, value] of input.entries()) {
      const to = spread(shape, kept, i);
      reference[to] = op === "SUM" ? reference[to] + value : Math.max(reference[to], value);
    }
    const constant = { shape: [axes.length], data: Int32Array.from(axes) };
    const operator = { op, options: { keepDims } } as const;
    const floats = runPlan(graphOf([{ shape }, constant, { shape: outer }], operator), { precision: "exact" }, input);
    expect([...floats]).toEqual([...reference]);
    const [from, to] = [one(0.5, 40), op === "SUM" ? one(64, 17) : one(0.5, 40)];
    const bytes = graphOf(
      [{ shape, type: "uint8", quantization: from }, constant, { shape: outer, type: "uint8", quantization: to }],
      operator,
    );
    const expected =
      op === "SUM" ? reference.map((sum) => Math.sign(sum) * Math.round(Math.abs(sum / 128)) + 0) : reference;
    expect([...runPlan(bytes, { precision: "quantised" }, input)]).toEqual([...expected]);
  });
});

describe.each(["ADD", "SUB", "MUL", "MAXIMUM"] as const)(
  "%s of operands that are both smaller than the result",
  (op) => {
    const options = op === "MAXIMUM" ? undefined : { activation: "NONE" as const };

    it.each(SEEDS)("is that of the first one repeated, seed %i", (seed) => {
      const random = new Random(seed);
      const shape = [1, random.int(2, 5), random.int(2, 5), random.int(2, 19)];
      const pixels = [1, shape[1], shape[2], 1];
      const [one, other] = random.pick([
        [pixels, [1, 1, 1, shape[3]]],
        [pixels, [shape[3]]],
        [[1, shape[1], 1, shape[3]], pixels.slice(1)],
        [
          [1, shape[1], 1, 1],
          [shape[2], 1],
        ],
      ]);
      const outer = shape.map((dim, axis) =>
        one[axis] === 1 && (other[axis - 4 + other.length] ?? 1) === 1 ? 1 : dim,
      );
      for (const type of ["float32", "int8"] as const) {
        const quantization = type === "int8" ? { scale: [0.5], zeroPoint: [-3], axis: 0 } : undefined;
        const of = (dims: number[]) => ({ shape: dims, type, ...(quantization && { quantization }) });
        const values = (dims: number[]) => Float32Array.from({ length: size(dims) }, () => random.int(-40, 40));
        const [a, b] = [values(one), values(other)];
        const repeated = Float32Array.from({ length: size(outer) }, (_, i) => a[spread(outer, one, i)]);
        const operator = { op, options };
        const precision = type === "int8" ? "quantised" : "exact";
        const expected = runPlan(graphOf([of(outer), of(other), of(outer)], operator), { precision }, repeated, b);
        const given = graphOf([of(one), of(other), of(outer)], operator);
        expect([...runPlan(given, { precision }, a, b)]).toEqual([...expected]);
      }
    });
  },
);
