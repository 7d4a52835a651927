/**
 * The weights of Pillow's bicubic filter along one axis (precompute_coeffs and normalize_coeffs_8bpc in its
 * src/libImaging/Resample.c, versions up to 12.2), as integers, so that sums of them are the same on every machine.
 */

/** Fraction bits of a weight: 32 - 8 of the pixel - 2 of headroom for the filter's overshoot. */
export const WEIGHT_BITS = 22;

/** For each target position, the run of source positions that it is made of. */
export interface Taps {
  /** How many target positions there are. */
  length: number;
  /** [length] the first source position. */
  start: Int32Array;
  /** [length] how many source positions in a row. */
  count: Int32Array;
  /** [length, stride] weights × 2^22, the first `count` of each row in use. */
  weights: Int32Array;
  stride: number;
}

/** Keys' cubic with a = -0.5. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/** The axis as it is: Pillow skips a pass that changes no size, and a single tap of weight 1 gives the same bytes. */
function copyTaps(length: number): Taps {
  const start = Int32Array.from({ length }, (_, i) => i);
  const weights = new Int32Array(length).fill(1 << WEIGHT_BITS);
  return { length, start, count: new Int32Array(length).fill(1), weights, stride: 1 };
}

/**
 * Taps that resize `source` positions to `target`.
 *
 * Every operation is in the order in which Pillow does it, since double rounding shows in the last bit of a weight.
 */
export function bicubicTaps(source: number, target: number): Taps {
  if (source === target) return copyTaps(source);
  const scale = source / target;
  const filterScale = Math.max(scale, 1);
  const support = 2 * filterScale;
  const stride = Math.min(Math.ceil(support) * 2 + 1, source);
  const start = new Int32Array(target);
  const count = new Int32Array(target);
  const weights = new Int32Array(target * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < target; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const n = Math.min(Math.trunc(center + support + 0.5), source) - first;
    let sum = 0;
    for (let j = 0; j < n; j++) {
      exact[j] = cubic((j + first - center + 0.5) * (1 / filterScale));
      sum += exact[j];
    }
    for (let j = 0; j < n; j++) {
      const weight = (sum === 0 ? exact[j] : exact[j] / sum) * (1 << WEIGHT_BITS);
      weights[i * stride + j] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    start[i] = first;
    count[i] = n;
  }
  return { length: target, start, count, weights, stride };
}

/** The same taps for an axis that is stored in reverse: the weights turned round within their window, to the bit. */
export function reverseTaps(taps: Taps, source: number): Taps {
  const { length, count, stride } = taps;
  const start = taps.start.map((first, i) => source - first - count[i]);
  const weights = taps.weights.slice();
  for (let i = 0; i < length; i++) weights.subarray(i * stride, i * stride + count[i]).reverse();
  return { length, start, count, weights, stride };
}
