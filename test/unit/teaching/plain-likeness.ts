/** The likeness of samples in 64 bits, computed in the plainest way: the reference for examples in 8 bits. */
import { type Part, partLikeness, partsOf, scoreLikeness, selfLikeness } from "../../../worker/teaching/kernel.ts";
import type { Layout, Sample } from "../../../worker/teaching/sample.ts";

/** See Comparison. @param parts Of the layout of both. */
export function plainLikeness(a: Sample, b: Sample, parts: readonly Part[]): number {
  const scores = new Map(Array.from(b.classes, (index, i) => [index, b.scores[i]]));
  const product = Array.from(a.classes).reduce((sum, index, i) => sum + a.scores[i] * (scores.get(index) ?? 0), 0);
  return parts.reduce((total, { start, end, weight }) => {
    let cosine = 0;
    for (let i = start; i < end; i++) cosine += a.dense[i] * b.dense[i];
    return total + partLikeness(weight, cosine);
  }, scoreLikeness(product));
}

/** Of every two samples, row by row. */
export function plainMatrix(samples: readonly Sample[], layout: Layout): Float64Array {
  const parts = partsOf(layout);
  const rows = samples.map((a) => samples.map((b) => (a === b ? selfLikeness(layout) : plainLikeness(a, b, parts))));
  return Float64Array.from(rows.flat());
}
