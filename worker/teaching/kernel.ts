/**
 * How alike two photos are: a sum of Gaussian kernels of the dense parts, e^(2u − 2) of their cosine u, and of the product
 * of the base's scores. The weights are those that did best over several sets of photos, and are the same for all tasks.
 */
import { DENSE_NAMES, type DenseName } from "./features.ts";
import type { Layout } from "./sample.ts";

const WEIGHTS: { readonly [name in DenseName]: number } = { pooled: 0.5, maxima: 0.9, late: 0.45, early: 0.15 };
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
