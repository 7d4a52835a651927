/** How alike photos are, by their examples in 8 bits: products of whole numbers, which are exact and fast. */
import { type Examples, keepExamples, keptClasses } from "./examples.ts";
import { productsOfRows } from "./gram.ts";
import { partLikeness, partsOf, scoreLikeness, selfLikeness } from "./kernel.ts";
import { dot, type PlaceRows, type Rows, rowsInJavaScript } from "./rows.ts";
import { denseSize, type Sample } from "./sample.ts";

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
  readonly #rows: Rows;
  /** The scores of the photo that is compared, for each class of the base. */
  readonly #scores: Int8Array;

  /** @param place Where the examples are multiplied with a photo. */
  constructor(examples: Examples, place: PlaceRows = rowsInJavaScript) {
    const size = denseSize(examples.layout);
    this.#rows = place(examples.dense, size);
    this.#measured = new Measured({ ...examples, dense: this.#rows.bytes });
    this.#scores = new Int8Array(examples.layout.classes);
  }

  /** The examples, where they are multiplied. */
  get examples(): Examples {
    return this.#measured.examples;
  }

  /** How alike a photo is to each example, from about 0 to selfLikeness(). */
  with(photo: Sample): Float64Array {
    const { examples, parts, width, scales } = this.#measured;
    const one = new Measured(keepExamples([photo], examples.layout));
    const result = new Float64Array(examples.count);
    this.#compareScores(one, 0, examples.count, result, 0);
    for (let p = 0; p < parts.length; p++) {
      const { start, count, weight } = parts[p];
      const products = this.#rows.multiply(one.examples.dense.subarray(start, start + count), start);
      const scale = one.scales[p];
      for (let j = 0; j < result.length; j++)
        result[j] += partLikeness(weight, products[j] * scales[j * width + p] * scale);
    }
    return result;
  }

  /** How alike every two of the examples are: [count, count]. */
  matrix(): Float64Array {
    const { examples, parts, size, width, scales } = this.#measured;
    const { layout, count, dense } = examples;
    const matrix = new Float64Array(count * count);
    for (let i = 0; i < count; i++) this.#compareScores(this.#measured, i, i, matrix, i * count);
    for (let p = 0; p < parts.length; p++) {
      const { start, count: columns, weight } = parts[p];
      const products = productsOfRows(dense, size, { start, end: start + columns });
      for (let i = 0; i < count; i++) {
        const scale = scales[i * width + p];
        for (let j = 0; j < i; j++)
          matrix[i * count + j] += partLikeness(weight, products[i * count + j] * scales[j * width + p] * scale);
      }
    }
    const self = selfLikeness(layout);
    for (let i = 0; i < count; i++) {
      matrix[i * count + i] = self;
      for (let j = 0; j < i; j++) matrix[j * count + i] = matrix[i * count + j];
    }
    return matrix;
  }

  /** The likeness of the base's scores of photo `i` of `photos` to those of the first `count` examples. */
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
