/** The confidences of a vocabulary's labels for one image, and the best of them. */
import { UNKNOWN } from "./names.ts";
import type { Label } from "./probabilities.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What a network, or a taught head, makes of an image in the words of a vocabulary. */
export interface Scores {
  /** Of each label of the vocabulary, 0..1. */
  readonly confidences: Float32Array;
  /** How sure it is that the image is of no class, 0..1; undefined where it is of one. */
  readonly unknown: number | undefined;
}

/**
 * Says the scores of classes in the words of a vocabulary.
 *
 * @param scores A probability for each class.
 * @param isUnknown Whether a taught head says that the image is of none of its classes; the vocabulary's bound if absent.
 */
export function scoresIn(vocabulary: Vocabulary, scores: Float32Array, isUnknown?: boolean): Scores {
  const { members, unknownBelow } = vocabulary;
  const best = scores.reduce((a, b) => Math.max(a, b), 0);
  const unsure = unknownBelow === undefined ? (isUnknown ?? false) : best < unknownBelow;
  const unknown = unsure ? Math.max(0, 1 - best) : undefined;
  if (members === undefined) return { confidences: scores, unknown };
  const sum = (classes: readonly number[]) => classes.reduce((total, index) => total + (scores[index] ?? 0), 0);
  // Sums of rounded probabilities may come to a little more than 1.
  return { confidences: Float32Array.from(members, (classes) => Math.min(1, sum(classes))), unknown };
}

export interface RankedLabel extends Label {
  /** Of the label in the vocabulary; -1 for `unknown`. */
  readonly index: number;
}

/**
 * The `top` best labels that have the confidence that they need, best first; equal ones in their order. An image that is
 * unknown has this label alone, which no least confidence takes away.
 *
 * @param min What the request asks for, 0..1.
 */
export function rankLabels(vocabulary: Vocabulary, scores: Scores, top: number, min: number): RankedLabel[] {
  const { confidences, unknown } = scores;
  const { labels, least } = vocabulary;
  if (unknown !== undefined) return [{ confidence: unknown, label: UNKNOWN, index: -1 }];
  const passes = (index: number) => (confidences[index] ?? 0) >= Math.max(min, least?.[index] ?? 0);
  const order = Array.from(confidences.keys()).filter(passes);
  order.sort((a, b) => confidences[b] - confidences[a] || a - b);
  return order
    .slice(0, top)
    .map((index) => ({ confidence: confidences[index], label: labels[index] ?? String(index), index }));
}
