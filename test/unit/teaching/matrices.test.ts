/** Linear algebra and products of rows against plain loops, at sizes around those of their blocks. */
import { describe, expect, it } from "vitest";
import { productsOfRows } from "../../../worker/teaching/gram.ts";
import { factorise, Inverse, invertTriangle } from "../../../worker/teaching/matrices.ts";
import { rowsInJavaScript } from "../../../worker/teaching/rows.ts";
import { Random } from "../inference/random-graph.ts";

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 29] as const;

/** A positive definite matrix. */
function matrixOf(size: number, random: Random): Float64Array {
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => random.int(-100, 100) / 50));
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return rows[i].reduce((sum, value, k) => sum + value * rows[j][k], Number(i === j));
  });
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    let sum = 0;
    for (let k = 0; k < size; k++) sum += a[i * size + k] * b[k * size + j];
    return sum;
  });
}

const close = (found: Float64Array, expected: Float64Array) => {
  for (const [at, value] of expected.entries()) expect(Math.abs(found[at] - value)).toBeLessThan(1e-9);
};

const lower = (matrix: Float64Array, size: number) =>
  matrix.map((value, at) => (at % size > Math.floor(at / size) ? 0 : value));

const transposed = (matrix: Float64Array, size: number) =>
  matrix.map((_, at) => matrix[(at % size) * size + Math.floor(at / size)]);

describe.each(SIZES)("a matrix of %i rows", (size) => {
  const matrix = matrixOf(size, new Random(size));
  const identity = Float64Array.from({ length: size * size }, (_, at) => Number(at % (size + 1) === 0));

  it("is the product of its triangle and the transpose", () => {
    const factor = matrix.slice();
    factorise(factor, size);
    const triangle = lower(factor, size);
    close(product(triangle, transposed(triangle, size), size), matrix);
    close(product(invertTriangle(factor, size), triangle, size), identity);
  });

  it("times its inverse is the identity", () => {
    close(product(new Inverse(matrix.slice(), size).whole(), matrix, size), identity);
  });
});

it("a matrix that is not positive definite is refused", () => {
  expect(() => factorise(Float64Array.of(1, 2, 2, 1), 2)).toThrow("not positive definite at 1");
});

function bytesOf(count: number, random: Random): Int8Array {
  return Int8Array.from({ length: count }, () => random.int(-127, 127));
}

describe("products of rows", () => {
  // 2080 columns are summed at a time.
  it.each([
    [1, 5, 0, 5],
    [2, 3, 1, 3],
    [7, 40, 3, 31],
    [13, 2100, 10, 2100],
    [4, 4200, 0, 4200],
  ])("are those of plain loops: %i rows of %i, columns %i to %i", (count, width, start, end) => {
    const bytes = bytesOf(count * width, new Random(count));
    const plain = (i: number, j: number) => {
      let sum = 0;
      for (let k = start; k < end; k++) sum += bytes[i * width + k] * bytes[j * width + k];
      return sum;
    };
    const products = productsOfRows(bytes, width, { start, end });
    for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) expect(products[i * count + j]).toBe(plain(i, j));
    const one = rowsInJavaScript(bytes, width).multiply(bytes.slice(start, end), start);
    expect([...one]).toEqual(Array.from({ length: count }, (_, j) => plain(0, j)));
  });

  it("are exact where all values are as large as they can be", () => {
    const bytes = new Int8Array(3 * 4000).fill(127).fill(-127, 4000, 8000);
    const products = productsOfRows(bytes, 4000, { start: 0, end: 4000 });
    expect([products[0], products[3], products[4], products[7]]).toEqual(
      [1, -1, 1, -1].map((sign) => sign * 64_516_000),
    );
  });
});
