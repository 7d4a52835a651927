/** A photo as heads compare it: vectors of length 1, made of features by the base's statistics. */
import { DENSE_NAMES, type DenseName, type Features, normalise } from "./features.ts";
import { type BaseStatistics, directionOf, type Spread } from "./statistics.ts";

export type Vector = Float32Array | Float64Array;

/** How long the parts of a sample are: channels, and classes of the base. */
export type Layout = { readonly [name in DenseName]: number } & { readonly classes: number };

export interface Sample {
  /** The dense parts behind each other, in the order of DENSE_NAMES; each has the length 1. */
  readonly dense: Vector;
  /** Which classes of the base are likeliest, and how likely: the roots of their probabilities, at length 1. */
  readonly classes: Uint16Array;
  readonly scores: Vector;
}

/** So many of the base's classes are kept of a photo. */
export const KEPT_CLASSES = 32;

export const layoutOf = ({ probabilities, ...dense }: Features): Layout => ({
  pooled: dense.pooled.length,
  maxima: dense.maxima.length,
  late: dense.late.length,
  early: dense.early.length,
  classes: probabilities.length,
});

export const denseSize = (layout: Layout): number => DENSE_NAMES.reduce((sum, name) => sum + layout[name], 0);

const centred = (values: Vector, mean: Float32Array): Float64Array =>
  normalise(Float64Array.from(values, (value, c) => value - mean[c]));

const standardised = (values: Float32Array, { mean, deviation }: Spread): Float64Array =>
  normalise(Float64Array.from(values, (value, c) => (value - mean[c]) / deviation[c]));

/** The likeliest classes, in their order, so that two samples are compared by going through both once. */
function likeliest(probabilities: Float32Array): { classes: Uint16Array; scores: Float64Array } {
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  const classes = Uint16Array.from(order.slice(0, KEPT_CLASSES)).sort();
  return {
    classes,
    scores: normalise(Float64Array.from(classes, (index) => Math.sqrt(Math.max(0, probabilities[index])))),
  };
}

/** @param features Of the base that the statistics are of. */
export function sampleOf(features: Features, statistics: BaseStatistics): Sample {
  const parts = {
    pooled: centred(directionOf(features.pooled), statistics.pooled),
    maxima: standardised(features.maxima, statistics.maxima),
    late: standardised(features.late, statistics.late),
    early: standardised(features.early, statistics.early),
  };
  const dense = new Float64Array(denseSize(layoutOf(features)));
  let at = 0;
  for (const name of DENSE_NAMES) {
    dense.set(parts[name], at);
    at += parts[name].length;
  }
  return { dense, ...likeliest(features.probabilities) };
}
