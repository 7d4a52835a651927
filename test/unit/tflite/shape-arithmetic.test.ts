/**
 * Shapes that are computed before a graph runs; graphs with such arithmetic are run in test/unit/inference/ops.test.ts.
 */
import { expect, it } from "vitest";
import { OPERATORS } from "../../../worker/inference/operators/registry.ts";
import { Table } from "../../../worker/tflite/flatbuffers.ts";
import { shapeArithmetic } from "../../../worker/tflite/shape-arithmetic.ts";

const formats = new Map(Object.entries(OPERATORS));
const options = Table.root(new DataView(new Uint8Array([8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0]).buffer));
const computed = (...shape: number[]) => ({ shape, type: "int32", data: undefined });
const image = { shape: [1, 5, 4, 3], type: "float32", data: undefined };
const constant = (...values: number[]) => ({
  shape: [values.length],
  type: "int32",
  data: new Uint8Array(Int32Array.from(values).buffer),
});

it("knows the values of SHAPE and of what is made of them", () => {
  const found = shapeArithmetic(
    [image, computed(4), constant(3, 1), computed(2)],
    [
      { op: "SHAPE", inputs: [0], outputs: [1], options },
      { op: "GATHER", inputs: [1, 2], outputs: [3], options },
    ],
    formats,
  );
  const values = [...found].map(([tensor, { buffer }]) => [tensor, ...new Int32Array(buffer as ArrayBuffer)]);
  expect(values).toEqual([
    [1, 1, 5, 4, 3],
    [3, 3, 5],
  ]);
});

it("leaves alone what it cannot know, or what the file says is of another size", () => {
  const gather = { op: "GATHER", inputs: [0, 1], outputs: [2], options };
  const found = (...tensors: Parameters<typeof shapeArithmetic>[0]) => shapeArithmetic(tensors, [gather], formats).size;
  expect(found(constant(7, 8), constant(1, 0), computed(2))).toBe(1);
  expect(found(constant(7, 8), constant(1, 2), computed(2))).toBe(0);
  expect(found(constant(7, 8), constant(1, 0), computed(3))).toBe(0);
  expect(found(constant(7, 8), computed(2), computed(2))).toBe(0);
  expect(found(constant(7, 8), constant(1, 0), { ...computed(2), type: "float32" })).toBe(0);
});

it.each(["ADD", "GATHER", "STRIDED_SLICE"])("leaves alone a damaged %s that has too few inputs", (op) => {
  const operator = { op, inputs: [0], outputs: [1], options };
  expect(shapeArithmetic([constant(1), computed(1)], [operator], formats).size).toBe(0);
});

it("computes no more of a hostile file than of an honest one", () => {
  // Each tensor is the one before it twice.
  const tensors = [constant(1), ...Array.from({ length: 40 }, (_, i) => computed(2 ** (i + 1)))];
  const operators = Array.from({ length: 40 }, (_, i) => {
    return { op: "CONCATENATION", inputs: [i, i], outputs: [i + 1], options };
  });
  expect(shapeArithmetic(tensors, operators, formats).size).toBe(5);
});
