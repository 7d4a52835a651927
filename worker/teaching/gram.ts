/**
 * The products of every two of many rows of whole numbers, exactly. Two rows share a number of 64 bits, of which 53 are
 * exact: one multiplication makes two products, which lie apart in the sum.
 */

/** The second of two rows that share numbers counts so much. Sums stay below half of it, and their pairs below 2^52. */
const SECOND = 2 ** 26;

/** So many columns are summed at a time: 2080 · 127 · 127 is the most that is below SECOND / 2. */
const MOST_COLUMNS = 2080;

/** Pairs of rows that are multiplied with two rows at a time. */
const AT_ONCE = 4;

interface Block {
  /** The columns, as numbers: [rows, columns]. */
  readonly single: Float64Array;
  /** Pairs of rows: [pairs, columns], with pairs of zeros up to a multiple of AT_ONCE. */
  readonly paired: Float64Array;
  readonly columns: number;
}

/** @param count Rows, [count, width]. @param column The first of `columns`. */
function blockOf(bytes: Int8Array, width: number, count: number, column: number, columns: number): Block {
  const single = new Float64Array((count + (count % 2)) * columns);
  const pairs = Math.ceil(count / 2 / AT_ONCE) * AT_ONCE;
  const paired = new Float64Array(pairs * columns);
  for (let row = 0; row < count; row++) {
    const [from, to, pair] = [row * width + column, row * columns, (row >> 1) * columns];
    const factor = row % 2 === 0 ? 1 : SECOND;
    for (let i = 0; i < columns; i++) {
      const value = bytes[from + i];
      single[to + i] = value;
      paired[pair + i] += value * factor;
    }
  }
  return { single, paired, columns };
}

/** Adds the two products in a sum to those of rows `i` and `j`, `j + 1`. */
function addPair(sum: number, products: Float64Array, i: number, j: number, count: number): void {
  if (i >= count) return;
  const second = Math.round(sum / SECOND);
  if (j < count) products[i * count + j] += sum - second * SECOND;
  if (j + 1 < count) products[i * count + j + 1] += second;
}

/** Adds the products of a block for rows i ≥ j, and some others beyond the diagonal. */
function addProducts({ single, paired, columns }: Block, products: Float64Array, count: number): void {
  for (let i = 0; i < count; i += 2) {
    const [a, b] = [i * columns, (i + 1) * columns];
    for (let pair = 0; 2 * pair <= i; pair += AT_ONCE) {
      const p0 = pair * columns;
      const [p1, p2, p3] = [p0 + columns, p0 + 2 * columns, p0 + 3 * columns];
      let [a0, a1, a2, a3, b0, b1, b2, b3] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
      for (let k = 0; k < columns; k++) {
        const x = single[a + k];
        const y = single[b + k];
        const v0 = paired[p0 + k];
        const v1 = paired[p1 + k];
        const v2 = paired[p2 + k];
        const v3 = paired[p3 + k];
        a0 += x * v0;
        a1 += x * v1;
        a2 += x * v2;
        a3 += x * v3;
        b0 += y * v0;
        b1 += y * v1;
        b2 += y * v2;
        b3 += y * v3;
      }
      for (const [at, [first, second]] of [
        [a0, b0],
        [a1, b1],
        [a2, b2],
        [a3, b3],
      ].entries()) {
        addPair(first, products, i, 2 * (pair + at), count);
        addPair(second, products, i + 1, 2 * (pair + at), count);
      }
    }
  }
}

/**
 * The products of every two rows over some of their columns.
 *
 * @param bytes [count, width].
 * @returns [count, count], of which what is beyond the diagonal is not complete.
 */
export function productsOfRows(
  bytes: Int8Array,
  width: number,
  { start, end }: { readonly start: number; readonly end: number },
): Float64Array {
  const count = bytes.length / width;
  const products = new Float64Array(count * count);
  for (let column = start; column < end; column += MOST_COLUMNS) {
    const columns = Math.min(MOST_COLUMNS, end - column);
    addProducts(blockOf(bytes, width, count, column, columns), products, count);
  }
  return products;
}
