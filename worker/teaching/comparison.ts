/** How alike photos are, by their examples in 8 bits: products of whole numbers, which are exact and fast. */
import { type Examples, keepExamples, keptClasses } from "./examples.ts";
import { partLikeness, partsOf, scoreLikeness, selfLikeness } from "./kernel.ts";
import { denseSize, type Sample } from "./sample.ts";

/** The product of `count` whole numbers in four sums, which do not wait for each other. */
function dot(a: Int8Array, startA: number, b: Int8Array, startB: number, count: number): number {
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

/**
 * The products of `count` whole numbers with those of four rows, which begin `stride` values after each other: half the
 * time of four products, since each number is read once.
 *
 * @param products Receives the four.
 */
function dotFour(
  a: Int8Array,
  startA: number,
  rows: Int8Array,
  start: number,
  stride: number,
  count: number,
  products: Int32Array,
): void {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const [r1, r2, r3] = [start + stride, start + 2 * stride, start + 3 * stride];
  for (let i = 0; i < count; i++) {
    const value = a[startA + i];
    s0 = (s0 + Math.imul(value, rows[start + i])) | 0;
    s1 = (s1 + Math.imul(value, rows[r1 + i])) | 0;
    s2 = (s2 + Math.imul(value, rows[r2 + i])) | 0;
    s3 = (s3 + Math.imul(value, rows[r3 + i])) | 0;
  }
  products[0] = s0;
  products[1] = s1;
  products[2] = s2;
  products[3] = s3;
}

/** 1 / the length of `count` values; 0 where all are zeros. */
function inverseLength(values: Int8Array, start: number, count: number): number {
  const squares = dot(values, start, values, start, count);
  return squares === 0 ? 0 : 1 / Math.sqrt(squares);
}

/** Examples with the lengths of their parts. */
class Measured {
  readonly examples: Examples;
  readonly size: number;
  readonly kept: number;
  readonly parts: readonly { readonly start: number; readonly count: number; readonly weight: number }[];
  /** 1 / the length of each part of each example, and of its scores behind them. */
  readonly scales: Float64Array;

  constructor(examples: Examples) {
    const { layout, count, dense, scores } = examples;
    this.examples = examples;
    this.size = denseSize(layout);
    this.kept = keptClasses(layout);
    this.parts = partsOf(layout).map(({ start, end, weight }) => ({ start, count: end - start, weight }));
    const width = this.width;
    this.scales = new Float64Array(count * width);
    for (let i = 0; i < count; i++) {
      for (const [p, { start, count }] of this.parts.entries())
        this.scales[i * width + p] = inverseLength(dense, i * this.size + start, count);
      this.scales[i * width + width - 1] = inverseLength(scores, i * this.kept, this.kept);
    }
  }

  get width(): number {
    return this.parts.length + 1;
  }
}

/** Examples that others are compared with. */
export class Comparison {
  readonly #measured: Measured;
  /** The scores of the photo that is compared, for each class of the base. */
  readonly #scores: Int8Array;
  readonly #products = new Int32Array(4);

  constructor(examples: Examples) {
    this.#measured = new Measured(examples);
    this.#scores = new Int8Array(examples.layout.classes);
  }

  /** How alike a photo is to each example, from about 0 to selfLikeness(). */
  with(photo: Sample): Float64Array {
    const { examples } = this.#measured;
    const one = new Measured(keepExamples([photo], examples.layout));
    const result = new Float64Array(examples.count);
    this.#compare(one, 0, examples.count, result, 0);
    return result;
  }

  /** How alike every two of the examples are: [count, count]. */
  matrix(): Float64Array {
    const { layout, count } = this.#measured.examples;
    const matrix = new Float64Array(count * count);
    const self = selfLikeness(layout);
    for (let i = 0; i < count; i++) {
      this.#compare(this.#measured, i, i, matrix, i * count);
      matrix[i * count + i] = self;
      for (let j = 0; j < i; j++) matrix[j * count + i] = matrix[i * count + j];
    }
    return matrix;
  }

  /** Compares photo `i` of `photos` with the first `count` examples. */
  #compare(photos: Measured, i: number, count: number, result: Float64Array, at: number): void {
    this.#compareScores(photos, i, count, result, at);
    const { examples, parts, size, width, scales } = this.#measured;
    const own = photos.examples.dense;
    const products = this.#products;
    for (let p = 0; p < parts.length; p++) {
      const { start, count: length, weight } = parts[p];
      const scale = photos.scales[i * width + p];
      const from = i * size + start;
      let j = 0;
      for (; j + 3 < count; j += 4) {
        dotFour(own, from, examples.dense, j * size + start, size, length, products);
        for (let k = 0; k < 4; k++)
          result[at + j + k] += partLikeness(weight, products[k] * scales[(j + k) * width + p] * scale);
      }
      for (; j < count; j++) {
        const product = dot(own, from, examples.dense, j * size + start, length);
        result[at + j] += partLikeness(weight, product * scales[j * width + p] * scale);
      }
    }
  }

  /** The likeness of the base's scores, as #compare(). */
  #compareScores(photos: Measured, i: number, count: number, result: Float64Array, at: number): void {
    const { examples, kept, width, scales } = this.#measured;
    const one = photos.examples;
    const scores = this.#scores.fill(0);
    for (let k = i * kept; k < (i + 1) * kept; k++) scores[one.classes[k]] = one.scores[k];
    const scale = photos.scales[i * width + width - 1];
    for (let j = 0; j < count; j++) {
      let product = 0;
      for (let k = j * kept; k < (j + 1) * kept; k++)
        product = (product + Math.imul(examples.scores[k], scores[examples.classes[k]])) | 0;
      result[at + j] = scoreLikeness(product * scales[j * width + width - 1] * scale);
    }
  }
}
