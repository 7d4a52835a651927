/** What teaching knows of a photo: values that a network computes on its way to its scores. */

/** The values of one forward pass of a base, as real numbers. */
export interface Features {
  /** The mean of each channel over all places, from which the base makes its scores: [channels]. */
  readonly pooled: Float32Array;
  /** The greatest value of each of the same channels: [channels]. */
  readonly maxima: Float32Array;
  /** The mean of each channel of the first block that has the last resolution; empty where the base has none. */
  readonly late: Float32Array;
  /** The mean of each channel of the last block before it, which has a higher resolution; empty where there is none. */
  readonly early: Float32Array;
  /** The probability of each class of the base. */
  readonly probabilities: Float32Array;
}

/** The parts of Features, in the order in which /features and files have them. */
export const FEATURE_NAMES = ["pooled", "maxima", "late", "early", "probabilities"] as const;

export type FeatureName = (typeof FEATURE_NAMES)[number];

/** The parts that are compared after they were brought to the base's usual mean and spread. */
export const DENSE_NAMES = ["pooled", "maxima", "late", "early"] as const;

export type DenseName = (typeof DENSE_NAMES)[number];

/** A vector of length 1 of the same direction; zeros stay zeros. */
export function normalise<T extends Float32Array | Float64Array>(vector: T): T {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.max(Math.sqrt(squares), 1e-12);
  for (let i = 0; i < vector.length; i++) vector[i] /= length;
  return vector;
}
