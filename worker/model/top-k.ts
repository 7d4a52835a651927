/** The best classes of a network's output. */

export interface Label {
  /** 0..1. */
  readonly confidence: number;
  readonly label: string;
}

/** Logits to probabilities, in place. */
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

/**
 * The probabilities of a network with a single score, as it tells two classes apart: that of the second one, as Keras counts
 * them, and before it that of the first, if both have labels.
 *
 * @param score A probability, or a logit.
 */
export function ofOneScore(score: number, isLogit: boolean, labels: number): Float32Array {
  const second = isLogit ? 1 / (1 + Math.exp(-score)) : score;
  return Float32Array.from(labels === 1 ? [second] : [1 - second, second]);
}

/** The classes with the `top` highest values, best first; equal ones in their order. Fewer where there are fewer. */
export function topIndices(values: Float32Array, top: number): number[] {
  const order = Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
  return order.slice(0, top);
}

/**
 * The `top` best classes with a confidence of at least `min`, best first; equal ones in the order of the label file.
 * Fewer than `top` where the model has fewer classes or too few reach `min`.
 */
export function topK(confidences: Float32Array, labels: readonly string[], top: number, min: number): Label[] {
  return topIndices(confidences, top)
    .filter((i) => confidences[i] >= min)
    .map((i) => ({ confidence: confidences[i], label: labels[i] ?? String(i) }));
}
