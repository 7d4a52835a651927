/** From samples to figures. */
import type { Sample } from "../../labeler/worker-process.ts";

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The medians of both times. */
export const medians = (samples: readonly Sample[]): Sample => ({
  cpu: median(samples.map(({ cpu }) => cpu)),
  wall: median(samples.map(({ wall }) => wall)),
});

/** The place of the largest value. */
export const argmax = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
