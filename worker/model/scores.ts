/** The confidences of a vocabulary's labels for one image, and their ranking. */
import { UNKNOWN } from "./names.ts";
import type { Label } from "./probabilities.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The scores of a network, or of a taught head, for an image, by the labels of a vocabulary. */
export interface Scores {
  /** The confidence of each label of the vocabulary, 0..1. */
  readonly confidences: Float32Array;
  /** The confidence that the image belongs to no class, 0..1; undefined if it belongs to one. */
  readonly unknown: number | undefined;
}

/**
 * Converts the scores of classes to confidences of labels.
 *
 * @param scores A probability for each class.
 * @param isUnknown Whether a taught head has found that the image belongs to none of its classes; if absent, the
 *   vocabulary's threshold decides.
 */
export function scoresIn(vocabulary: Vocabulary, scores: Float32Array, isUnknown?: boolean): Scores {
  const { members, unknownBelow } = vocabulary;
  const best = () => scores.reduce((a, b) => Math.max(a, b), 0);
  const unsure = unknownBelow === undefined ? (isUnknown ?? false) : best() < unknownBelow;
  const unknown = unsure ? Math.max(0, 1 - best()) : undefined;
  if (members === undefined) return { confidences: scores, unknown };
  const sum = (classes: readonly number[]) => classes.reduce((total, index) => total + (scores[index] ?? 0), 0);
  // Sums of rounded probabilities may slightly exceed 1.
  return { confidences: Float32Array.from(members, (classes) => Math.min(1, sum(classes))), unknown };
}

export interface RankedLabel extends Label {
  /** The label's index in the vocabulary; -1 for `unknown`. */
  readonly index: number;
}

/**
 * The indices of the `top` highest values that reach their minimum, highest first; equal ones keep their order. It uses
 * loops: of a thousand values few are among the highest, and a sort or array methods with callbacks take many times as
 * long.
 */
function highest(values: Float32Array, top: number, min: number, least: Vocabulary["least"]): number[] {
  const found: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (!(value >= min) || (found.length === top && !(value > values[found[top - 1]]))) continue;
    if (least !== undefined && !(value >= (least[index] ?? 0))) continue;
    let place = found.length;
    while (place > 0 && value > values[found[place - 1]]) place--;
    found.splice(place, 0, index);
    if (found.length > top) found.pop();
  }
  return found;
}

/**
 * The `top` labels with the highest confidences that reach their minimum, in descending order; equal ones keep their
 * order. An image that is unknown has only this label, whatever the minimum confidence.
 *
 * @param min The minimum confidence of the request, 0..1.
 */
export function rankLabels(vocabulary: Vocabulary, scores: Scores, top: number, min: number): RankedLabel[] {
  const { confidences, unknown } = scores;
  const { labels, least } = vocabulary;
  if (unknown !== undefined) return [{ confidence: unknown, label: UNKNOWN, index: -1 }];
  return highest(confidences, top, min, least).map((index) => ({
    confidence: confidences[index],
    label: labels[index] ?? String(index),
    index,
  }));
}
