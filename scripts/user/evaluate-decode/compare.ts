/** Measures how far two decodings of one file differ: pixels, top-1 labels, confidences. */
import type { Label } from "../label/answers.ts";

export interface PixelDifference {
  /** The number of values that differ. */
  readonly values: number;
  /** The largest difference, 0..255. */
  readonly largest: number;
}

/** @throws Error if they are of different sizes. */
export function comparePixels(ours: Uint8Array, theirs: Uint8Array): PixelDifference {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} bytes of pixels beside ${theirs.length}`);
  let [values, largest] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const difference = Math.abs((ours[i] ?? 0) - (theirs[i] ?? 0));
    if (difference > 0) values++;
    if (difference > largest) largest = difference;
  }
  return { values, largest };
}

export interface LabelDifference {
  readonly sameTop1: boolean;
  /** The largest difference in the confidence of one class. */
  readonly confidence: number;
}

/** Confidences by label, in descending order: several classes may have the same label. */
function byLabel(labels: readonly Label[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { label, confidence } of labels) {
    const known = found.get(label);
    if (known === undefined) found.set(label, [confidence]);
    else known.push(confidence);
  }
  for (const values of found.values()) values.sort((a, b) => b - a);
  return found;
}

/** @param ours The confidences of all classes. @param theirs The same, in any order. */
export function compareLabels(ours: readonly Label[], theirs: readonly Label[]): LabelDifference {
  const reference = byLabel(theirs);
  let confidence = 0;
  for (const [label, values] of byLabel(ours)) {
    const others = reference.get(label) ?? [];
    for (const [i, value] of values.entries()) {
      // A value that is not a number counts as infinitely far away.
      const difference = Math.abs(value - (others[i] ?? Number.NaN));
      confidence = Math.max(confidence, Number.isNaN(difference) ? 1 : difference);
    }
  }
  const [best] = ours;
  const highest = Math.max(...theirs.map((label) => label.confidence));
  // If two classes have the same confidence, either may come first.
  return { sameTop1: best !== undefined && reference.get(best.label)?.[0] === highest, confidence };
}

/** The labels and confidences of classes, in any order. */
export const labelsFrom = (confidences: readonly number[], names: readonly string[]): Label[] =>
  names.map((label, i) => ({ label, confidence: confidences[i] ?? Number.NaN }));
