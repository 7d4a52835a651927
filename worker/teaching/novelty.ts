/**
 * How unlike all taught photos a photo is: the variance of a Gaussian process with the same kernel, as a share of that of
 * a photo of which nothing is known. 0 is a taught photo itself, 1 one that is like none of them.
 */
import { Inverse, withRidge } from "./matrices.ts";
import { smallestClass, type Task } from "./ridge.ts";

export interface Novelty {
  /** The inverse of the Cholesky factor of K + NOISE·I, a lower triangle: [photos, photos]. */
  readonly triangle: Float64Array;
  /** Above it a photo is of no taught class. */
  readonly threshold: number;
}

/** The variance of what is measured of one photo. */
export const NOISE = 0.1;

/** With fewer photos of a class, it is not known how much photos of one class differ. */
export const FEWEST_FOR_UNKNOWN = 3;

/** The share of photos of taught classes that must be recognised as such. */
const QUANTILE = 0.95;

/** The quantile of values at position q·(n + 1), between the least and the greatest value. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = Math.min(sorted.length - 1, Math.max(0, share * (sorted.length + 1) - 1));
  const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
  return low + (high - low) * (place % 1);
}

/** The number of standard deviations above the mean at which a normal distribution reaches QUANTILE. */
const DEVIATIONS = 1.645;

/** The weight of expectedQuantile() beside the quantile of the photos, in photos. */
const PRIOR = 40;

/**
 * How far novelties usually spread, as the standard deviation of their log-odds, and how many photos this counts: it is
 * 0.35 to 0.65 for the sets in docs/reference/benchmarks.md, whatever the number of photos.
 */
const USUAL_SPREAD = { deviation: 0.55, photos: 10 } as const;

/** The least distance of a novelty from 0 and 1 for its log-odds. */
const LEAST = 1e-4;

const logOdds = (share: number): number => {
  const inside = Math.min(1 - LEAST, Math.max(LEAST, share));
  return Math.log(inside / (1 - inside));
};

/**
 * The value that QUANTILE of all photos are below if the log-odds of novelties are normally distributed, which are about
 * as far apart near 1 as elsewhere. One odd photo among twenty hardly moves it.
 */
function expectedQuantile(novelties: readonly number[]): number {
  const odds = novelties.map(logOdds);
  const count = odds.length;
  const mean = odds.reduce((sum, value) => sum + value, 0) / count;
  const squares = odds.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const { deviation, photos } = USUAL_SPREAD;
  const variance = (photos * deviation ** 2 + squares) / (photos + count - 1);
  return 1 / (1 + Math.exp(-mean - DEVIATIONS * Math.sqrt(variance * (1 + 1 / count))));
}

/**
 * A value that QUANTILE of all photos are below. With twenty photos the quantile is the greatest of them, and one that is odd
 * would decide alone; so it is weighed against that of a distribution, the less the more photos there are.
 */
function thresholdOf(novelties: readonly number[]): number {
  const count = novelties.length;
  return (count * quantile(novelties, QUANTILE) + PRIOR * expectedQuantile(novelties)) / (count + PRIOR);
}

/** The novelty of a group's photos if the group had not been taught; of several the mean, since they count as one. */
function leftOut(inverse: Inverse, group: readonly number[], self: number): number {
  const variances = new Inverse(inverse.part(group), group.length).diagonal();
  const sum = variances.reduce((total, variance) => total + variance - NOISE, 0);
  return sum / (group.length * self);
}

/**
 * @param self How alike a photo is to itself.
 * @returns Undefined where a class has too few photos to tell.
 */
export function teachNovelty(task: Task, self: number): Novelty | undefined {
  if (smallestClass(task) < FEWEST_FOR_UNKNOWN) return undefined;
  const count = task.classes.length;
  const inverse = new Inverse(withRidge(task.likeness, count, NOISE), count);
  const novelties = task.groups.map((group) => leftOut(inverse, group, self));
  return { triangle: inverse.triangle, threshold: thresholdOf(novelties) };
}
