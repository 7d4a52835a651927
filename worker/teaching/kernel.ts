/**
 * How alike two photos are: a sum of Gaussian kernels of the dense parts, e^(2u − 2) of their cosine u, and of the product
 * of the base's scores. The weights are those that did best over several sets of photos, and are the same for all tasks.
 */
import { DENSE_NAMES, type DenseName } from "./features.ts";
import type { Layout, Sample, Vector } from "./sample.ts";

const WEIGHTS: { readonly [name in DenseName]: number } = { pooled: 1, maxima: 0.4, late: 0.3, early: 0.3 };
const SCORE_WEIGHT = 0.25;

/** A dense part of a sample: where it lies and what it counts. */
export interface Part {
  readonly start: number;
  readonly end: number;
  readonly weight: number;
}

/** The dense parts that a base has. */
export function partsOf(layout: Layout): Part[] {
  let start = 0;
  return DENSE_NAMES.flatMap((name) => {
    const part = { start, end: start + layout[name], weight: WEIGHTS[name] };
    start = part.end;
    return layout[name] === 0 ? [] : [part];
  });
}

/** How alike a photo is to itself: the greatest likeness. */
export const selfLikeness = (layout: Layout): number =>
  partsOf(layout).reduce((sum, { weight }) => sum + weight, SCORE_WEIGHT);

/** What a part adds to a likeness. @param cosine Of the two photos' vectors. */
export const partLikeness = (weight: number, cosine: number): number => weight * Math.exp(2 * cosine - 2);

export const scoreLikeness = (product: number): number => SCORE_WEIGHT * product;

function dot(a: Vector, b: Vector, start: number, end: number): number {
  let [even, odd] = [0, 0];
  let i = start;
  for (; i + 1 < end; i += 2) {
    even += a[i] * b[i];
    odd += a[i + 1] * b[i + 1];
  }
  return even + odd + (i < end ? a[i] * b[i] : 0);
}

/** The product of scores, of which each sample has those of its likeliest classes, in their order. */
function scoreProduct(a: Sample, b: Sample): number {
  let [sum, i, j] = [0, 0, 0];
  while (i < a.classes.length && j < b.classes.length) {
    const order = a.classes[i] - b.classes[j];
    if (order === 0) sum += a.scores[i] * b.scores[j];
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return sum;
}

/** How alike two photos are, from about 0 to selfLikeness(). @param parts Of the layout of both. */
export function likeness(a: Sample, b: Sample, parts: readonly Part[]): number {
  let sum = scoreLikeness(scoreProduct(a, b));
  for (const { start, end, weight } of parts) sum += partLikeness(weight, dot(a.dense, b.dense, start, end));
  return sum;
}

/** The likeness of every two samples, row by row: [samples, samples]. */
export function likenessMatrix(samples: readonly Sample[], layout: Layout): Float64Array {
  const parts = partsOf(layout);
  const count = samples.length;
  const matrix = new Float64Array(count * count);
  for (const [i, a] of samples.entries()) {
    for (let j = 0; j <= i; j++) {
      const value = i === j ? selfLikeness(layout) : likeness(a, samples[j], parts);
      matrix[i * count + j] = value;
      matrix[j * count + i] = value;
    }
  }
  return matrix;
}
