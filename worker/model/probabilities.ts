/** Converts a network's output to probabilities of its classes. */

export interface Label {
  /** 0..1. */
  readonly confidence: number;
  readonly label: string;
}

/** Converts logits to probabilities, in place. */
export function softmax(logits: Float32Array): Float32Array {
  const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const power = Math.exp(logits[i] - max);
    logits[i] = power;
    sum += power;
  }
  for (let i = 0; i < logits.length; i++) logits[i] = logits[i] / sum;
  return logits;
}

/** The probability of which a number is the logit. */
export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * The probabilities of a network with a single score for two classes: the score is that of the second class, as in
 * Keras; the first class comes before it if both have labels.
 *
 * @param score A probability, or a logit.
 */
export function ofOneScore(score: number, isLogit: boolean, labels: number): Float32Array {
  const second = isLogit ? sigmoid(score) : score;
  return Float32Array.from(labels === 1 ? [second] : [1 - second, second]);
}
