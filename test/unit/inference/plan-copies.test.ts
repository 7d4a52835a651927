/** The kernels of copy.c compared with plain loops: they read values from places that are not adjacent. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { makePlan, NoPlan } from "../../../worker/inference/plan/plan.ts";
import type { Operator } from "../../../worker/tflite/graph.ts";
import { runPlan } from "./plan-reference.ts";
import { graphOf, Random, size } from "./random-graph.ts";

beforeAll(initBackend);

const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1);
const quantization = { scale: [0.5], zeroPoint: [7], axis: 0 };

/** The place of the value at `index` along each dimension. */
const placesOf = (shape: readonly number[], index: number): number[] =>
  shape.map((dim, axis) => Math.floor(index / size(shape.slice(axis + 1))) % dim);

const indexOf = (shape: readonly number[], places: readonly number[]): number =>
  places.reduce((sum, place, axis) => sum * shape[axis] + place, 0);

/** Runs an operator on floats and on bytes, and compares with where each value has to come from. */
function compare(
  random: Random,
  operator: Pick<Operator, "op" | "options">,
  shapes: { readonly shape: number[]; readonly outer: number[] },
  constants: readonly number[][],
  source: (places: readonly number[]) => number[],
): void {
  const { shape, outer } = shapes;
  const input = Float32Array.from({ length: size(shape) }, () => random.int(-7, 248));
  const expected = Array.from({ length: size(outer) }, (_, i) => input[indexOf(shape, source(placesOf(outer, i)))]);
  const given = constants.map((values) => ({ shape: [values.length], data: Int32Array.from(values) }));
  for (const type of ["float32", "uint8"] as const) {
    const of = (dims: number[]) => ({ shape: dims, type, ...(type === "uint8" && { quantization }) });
    const graph = graphOf([of(shape), ...given, of(outer)], operator);
    const output = runPlan(graph, { precision: type === "uint8" ? "quantised" : "exact" }, input);
    expect([...output]).toEqual(expected);
  }
}

const randomShape = (random: Random): number[] => Array.from({ length: random.int(1, 5) }, () => random.int(1, 9));

it.each(SEEDS)("TRANSPOSE, seed %i", (seed) => {
  const random = new Random(seed);
  const shape = Array.from({ length: random.int(1, 4) }, () => random.int(1, 20));
  const order = shape.map((_, axis) => axis).sort(() => random.next() - 0.5);
  const outer = order.map((axis) => shape[axis]);
  compare(random, { op: "TRANSPOSE", options: undefined }, { shape, outer }, [order], (places) =>
    shape.map((_, axis) => places[order.indexOf(axis)]),
  );
});

it.each(SEEDS)("SLICE, seed %i", (seed) => {
  const random = new Random(seed);
  const shape = randomShape(random);
  const begin = shape.map((dim) => random.int(0, dim - 1));
  const outer = shape.map((dim, axis) => random.int(1, dim - begin[axis]));
  const sizes = outer.map((count, axis) => (count === shape[axis] - begin[axis] && random.next() < 0.5 ? -1 : count));
  compare(random, { op: "SLICE", options: undefined }, { shape, outer }, [begin, sizes], (places) =>
    places.map((place, axis) => begin[axis] + place),
  );
});

it.each(SEEDS)("STRIDED_SLICE, seed %i", (seed) => {
  const random = new Random(seed);
  const shape = Array.from({ length: random.int(1, 4) }, () => random.int(1, 20));
  let [beginMask, endMask] = [0, 0];
  const parts = shape.map((dim, axis) => {
    const stride = random.pick([1, 1, 2, 3, -1, -2]);
    const first = random.int(0, dim - 1);
    const most = stride > 0 ? Math.ceil((dim - first) / stride) : Math.ceil((first + 1) / -stride);
    const count = random.int(1, most);
    if (first === (stride > 0 ? 0 : dim - 1) && random.next() < 0.5) beginMask |= 1 << axis;
    // One behind the last that is taken; before the first dimension's start only the mask can say that.
    const end = first + (count - 1) * stride + Math.sign(stride);
    if (count === most && (end < 0 || random.next() < 0.5)) endMask |= 1 << axis;
    else if (end < 0) endMask |= 1 << axis;
    const negative = (place: number) => (place < dim && random.next() < 0.3 ? place - dim : place);
    return { stride, first, count, begin: negative(first), end: end < 0 ? 0 : negative(end) };
  });
  const options = { beginMask, endMask, ellipsisMask: 0, newAxisMask: 0, shrinkMask: 0, offset: false };
  const constants = [parts.map(({ begin }) => begin), parts.map(({ end }) => end), parts.map(({ stride }) => stride)];
  const outer = parts.map(({ count }) => count);
  compare(random, { op: "STRIDED_SLICE", options }, { shape, outer }, constants, (places) =>
    places.map((place, axis) => parts[axis].first + place * parts[axis].stride),
  );
});

it.each(SEEDS)("MIRROR_PAD, seed %i", (seed) => {
  const random = new Random(seed);
  const shape = Array.from({ length: random.int(1, 4) }, () => random.int(1, 9));
  const withEdge = random.next() < 0.5;
  const most = (dim: number) => Math.min(3, withEdge ? dim : dim - 1);
  const paddings = shape.map((dim) => [random.int(0, most(dim)), random.int(0, most(dim))]);
  const outer = shape.map((dim, axis) => dim + paddings[axis][0] + paddings[axis][1]);
  const mirror = (place: number, dim: number) => {
    if (place < 0) return withEdge ? -1 - place : -place;
    return place < dim ? place : 2 * dim - (withEdge ? 1 : 2) - place;
  };
  compare(random, { op: "MIRROR_PAD", options: { withEdge } }, { shape, outer }, [paddings.flat()], (places) =>
    places.map((place, axis) => mirror(place - paddings[axis][0], shape[axis])),
  );
});

describe("what would read or write outside of its tensors", () => {
  const constant = (...data: number[]) => ({ shape: [data.length], data: Int32Array.from(data) });
  const slice = { op: "SLICE", options: undefined } as const;
  it.each([
    ["a slice behind the end", graphOf([{ shape: [4] }, constant(3), constant(2), { shape: [2] }], slice)],
    ["a slice before the start", graphOf([{ shape: [4] }, constant(-1), constant(2), { shape: [2] }], slice)],
    ["a slice of another size", graphOf([{ shape: [4] }, constant(1), constant(2), { shape: [3] }], slice)],
    [
      "an order that names a dimension twice",
      graphOf([{ shape: [2, 3] }, constant(1, 1), { shape: [3, 3] }], { op: "TRANSPOSE", options: undefined }),
    ],
    [
      "a mirror wider than the image",
      graphOf([{ shape: [2] }, constant(2, 0), { shape: [4] }], { op: "MIRROR_PAD", options: { withEdge: false } }),
    ],
  ])("%s: there is no plan", (_, graph) => {
    expect(() => makePlan(graph, { precision: "exact" })).toThrow(NoPlan);
  });
});
