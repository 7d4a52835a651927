/** The kernel that compares photos with the examples of heads, against the same loops in JavaScript. */
import { expect, it } from "vitest";
import { rowsInWasm } from "../../../worker/inference/rows.ts";
import { rowsInJavaScript } from "../../../worker/teaching/rows.ts";
import { Random } from "./random-graph.ts";

const bytesOf = (count: number, random: Random) => Int8Array.from({ length: count }, () => random.int(-128, 127));

it.each([
  [1, 1, 0, 1],
  [2, 16, 0, 16],
  [3, 40, 7, 33],
  [4, 64, 16, 48],
  [5, 31, 0, 31],
  [9, 2864, 1280, 1280],
])("%i rows of %i: columns from %i on, %i of them", (count, width, column, length) => {
  const random = new Random(count);
  const [bytes, values] = [bytesOf(count * width, random), bytesOf(length, random)];
  const rows = rowsInWasm(bytes, width);
  expect(rows.bytes).toEqual(bytes);
  const plain = Int32Array.from({ length: count }, (_, row) =>
    values.reduce((sum, value, i) => sum + value * bytes[row * width + column + i], 0),
  );
  expect(rowsInJavaScript(bytes, width).multiply(values, column)).toEqual(plain);
  expect(rows.multiply(values, column)).toEqual(plain);
  // Nothing is left of a call when the next one has fewer values.
  expect(rows.multiply(values.subarray(0, 1), column)).toEqual(
    rowsInJavaScript(bytes, width).multiply(values.subarray(0, 1), column),
  );
});

it("products of the greatest length with the greatest values are exact", () => {
  const rows = rowsInWasm(new Int8Array(65_535).fill(-128), 65_535);
  expect([...rows.multiply(new Int8Array(65_535).fill(-128), 0)]).toEqual([65_535 * 128 * 128]);
});
