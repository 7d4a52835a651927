/** Symmetric positive definite matrices, row by row in Float64Array: what kernel methods need of linear algebra. */

/**
 * The lower triangle L of A = L·Lᵀ, in place; what is above the diagonal is left.
 *
 * @throws RangeError if the matrix is not positive definite.
 */
export function factorise(matrix: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let j = 0; j <= i; j++) {
      const other = j * size;
      let sum = matrix[row + j];
      for (let k = 0; k < j; k++) sum -= matrix[row + k] * matrix[other + k];
      if (j < i) {
        matrix[row + j] = sum / matrix[other + j];
      } else {
        if (!(sum > 0)) throw new RangeError(`the matrix is not positive definite at ${i}`);
        matrix[row + i] = Math.sqrt(sum);
      }
    }
  }
}

/** The inverse of the lower triangle L, itself a lower triangle. */
export function invertTriangle(triangle: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let k = 0; k < i; k++) {
      const factor = triangle[row + k];
      const other = k * size;
      for (let j = 0; j <= k; j++) inverse[row + j] -= factor * inverse[other + j];
    }
    const diagonal = triangle[row + i];
    for (let j = 0; j < i; j++) inverse[row + j] /= diagonal;
    inverse[row + i] = 1 / diagonal;
  }
  return inverse;
}

/** MᵀM of a lower triangle M: if M is the inverse of L, this is that of L·Lᵀ. */
function gramOfTriangle(triangle: Float64Array, size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    const row = k * size;
    for (let i = 0; i <= k; i++) {
      const factor = triangle[row + i];
      const target = i * size;
      for (let j = 0; j <= i; j++) result[target + j] += factor * triangle[row + j];
    }
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) result[j * size + i] = result[i * size + j];
  return result;
}

/** (A + ridge·I) with the matrix left as it is. */
export function withRidge(matrix: Float64Array, size: number, ridge: number): Float64Array {
  const result = matrix.slice();
  for (let i = 0; i < size; i++) result[i * size + i] += ridge;
  return result;
}

/** The inverse of a matrix, which is used up, and of its factor. @throws RangeError as factorise() does. */
export function invert(matrix: Float64Array, size: number): { inverse: Float64Array; triangle: Float64Array } {
  factorise(matrix, size);
  const triangle = invertTriangle(matrix, size);
  return { inverse: gramOfTriangle(triangle, size), triangle };
}

/** A part of a matrix: the rows and columns of `members`. */
export function submatrix(matrix: Float64Array, size: number, members: readonly number[]): Float64Array {
  const part = new Float64Array(members.length ** 2);
  for (const [i, row] of members.entries()) {
    for (const [j, column] of members.entries()) part[i * members.length + j] = matrix[row * size + column];
  }
  return part;
}
