/** Rows of whole numbers of 8 bits, and their products with other such numbers, which are exact. */

/** [count, width], row by row. */
export interface Rows {
  readonly bytes: Int8Array;
  /**
   * The products of some of a vector's values with the same columns of each row.
   *
   * @param values Those of the columns from `column` on, in number all that are multiplied.
   * @returns One for each row, valid until the next call.
   */
  multiply(values: Int8Array, column: number): Int32Array;
}

/** Copies rows to where they are multiplied. @param width The length of each. */
export type PlaceRows = (bytes: Int8Array, width: number) => Rows;

/** The product of `count` whole numbers in four sums, which do not wait for each other. */
export function dot(a: Int8Array, startA: number, b: Int8Array, startB: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < count; i += 4) {
    s0 = (s0 + Math.imul(a[startA + i], b[startB + i])) | 0;
    s1 = (s1 + Math.imul(a[startA + i + 1], b[startB + i + 1])) | 0;
    s2 = (s2 + Math.imul(a[startA + i + 2], b[startB + i + 2])) | 0;
    s3 = (s3 + Math.imul(a[startA + i + 3], b[startB + i + 3])) | 0;
  }
  for (; i < count; i++) s0 = (s0 + Math.imul(a[startA + i], b[startB + i])) | 0;
  return s0 + s1 + s2 + s3;
}

/** Rows in memory of JavaScript. Four are multiplied at a time, which takes half the time of four products. */
export const rowsInJavaScript: PlaceRows = (bytes, width) => {
  const count = width === 0 ? 0 : bytes.length / width;
  const products = new Int32Array(count);
  return {
    bytes,
    multiply(values, column) {
      const length = values.length;
      let row = 0;
      for (; row + 3 < count; row += 4) {
        const r0 = row * width + column;
        const [r1, r2, r3] = [r0 + width, r0 + 2 * width, r0 + 3 * width];
        let [s0, s1, s2, s3] = [0, 0, 0, 0];
        for (let i = 0; i < length; i++) {
          const value = values[i];
          s0 = (s0 + Math.imul(value, bytes[r0 + i])) | 0;
          s1 = (s1 + Math.imul(value, bytes[r1 + i])) | 0;
          s2 = (s2 + Math.imul(value, bytes[r2 + i])) | 0;
          s3 = (s3 + Math.imul(value, bytes[r3 + i])) | 0;
        }
        products[row] = s0;
        products[row + 1] = s1;
        products[row + 2] = s2;
        products[row + 3] = s3;
      }
      for (; row < count; row++) products[row] = dot(values, 0, bytes, row * width + column, length);
      return products;
    },
  };
};
