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

/** Puts (values − mean) / deviation at length 1 behind `start`. */
function standardise(target: Float64Array, start: number, values: Vector, { mean, deviation }: Partial<Spread>): void {
  let squares = 0;
  for (let c = 0; c < values.length; c++) {
    const away = values[c] - (mean?.[c] ?? 0);
    const value = deviation === undefined ? away : away / deviation[c];
    target[start + c] = value;
    squares += value * value;
  }
  const scale = 1 / Math.max(Math.sqrt(squares), 1e-12);
  for (let c = 0; c < values.length; c++) target[start + c] *= scale;
}

/**
 * The likeliest classes, in their order, so that two samples are compared by going through both once. Of equal ones the
 * first come first.
 */
function likeliest(probabilities: Float32Array): { classes: Uint16Array; scores: Float64Array } {
  const kept = Math.min(KEPT_CLASSES, probabilities.length);
  // The least of those that are kept; the few that equal it are counted.
  const least = probabilities.slice().sort()[probabilities.length - kept];
  const above = probabilities.reduce((count, value) => count + Number(value > least), 0);
  const [classes, scores] = [new Uint16Array(kept), new Float64Array(kept)];
  let [at, equal] = [0, kept - above];
  for (let index = 0; index < probabilities.length && at < kept; index++) {
    const value = probabilities[index];
    if (value < least || (value === least && equal-- <= 0)) continue;
    classes[at] = index;
    scores[at++] = Math.sqrt(Math.max(0, value));
  }
  return { classes, scores: normalise(scores) };
}

/** @param features Of the base that the statistics are of. */
export function sampleOf(features: Features, statistics: BaseStatistics): Sample {
  const layout = layoutOf(features);
  const dense = new Float64Array(denseSize(layout));
  let at = 0;
  for (const name of DENSE_NAMES) {
    const pooled = name === "pooled";
    const values = pooled ? directionOf(features.pooled) : features[name];
    standardise(dense, at, values, pooled ? { mean: statistics.pooled } : statistics[name]);
    at += layout[name];
  }
  return { dense, ...likeliest(features.probabilities) };
}
