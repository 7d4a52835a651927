/**
 * The usual values of a base's features: means and spreads over photos without labels. Features are compared by how they
 * differ from these, or else what all photos have in common would hide what tells them apart.
 */
import { type DenseName, type Features, normalise } from "./features.ts";

/** The values of each channel. */
export interface Spread {
  readonly mean: Float32Array;
  /** The standard deviation, and a tenth of the mean deviation of all channels, so that channels at rest stay quiet. */
  readonly deviation: Float32Array;
}

export interface BaseStatistics {
  /** The mean of the pooled values after each photo's were brought to the length 1. */
  readonly pooled: Float32Array;
  readonly maxima: Spread;
  readonly late: Spread;
  readonly early: Spread;
}

/** How many photos are needed for statistics of a base that are worth keeping. */
export const ENOUGH_PHOTOS = 500;

/** What share of the mean deviation is added to each. */
const FLOOR = 0.1;

/** The pooled values without what a ReLU would have cut off, at length 1. */
export function directionOf(pooled: Float32Array): Float64Array {
  const direction = new Float64Array(pooled.length);
  for (let c = 0; c < pooled.length; c++) direction[c] = Math.max(0, pooled[c]);
  return normalise(direction);
}

function meanOf(rows: readonly ArrayLike<number>[]): Float64Array {
  const sum = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) for (let c = 0; c < sum.length; c++) sum[c] += row[c];
  return sum.map((total) => total / rows.length);
}

function spreadOf(rows: readonly Float32Array[]): Spread {
  const mean = meanOf(rows);
  const squares = new Float64Array(mean.length);
  for (const row of rows) for (let c = 0; c < mean.length; c++) squares[c] += (row[c] - mean[c]) ** 2;
  const deviation = squares.map((total) => Math.sqrt(total / rows.length));
  const usual = deviation.reduce((sum, value) => sum + value, 0) / (deviation.length || 1);
  // Channels that are the same in all photos say nothing; the least float above 0 keeps them from dividing by 0.
  const least = FLOOR * usual || 1;
  return { mean: Float32Array.from(mean), deviation: Float32Array.from(deviation, (value) => value + least) };
}

/**
 * @param photos At least one; ENOUGH_PHOTOS or more of many kinds for statistics that serve any task.
 */
export function computeStatistics(photos: readonly Features[]): BaseStatistics {
  const spread = (name: DenseName) => spreadOf(photos.map((photo) => photo[name]));
  return {
    pooled: Float32Array.from(meanOf(photos.map(({ pooled }) => directionOf(pooled)))),
    maxima: spread("maxima"),
    late: spread("late"),
    early: spread("early"),
  };
}
