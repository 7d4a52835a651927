/** Taught photos as a head keeps them: samples in 8 bits, about 3 KB each. A photo cannot be made of one again. */
import { type Part, partLikeness, partsOf, scoreLikeness } from "./kernel.ts";
import { denseSize, KEPT_CLASSES, type Layout, type Sample, type Vector } from "./sample.ts";

/** The largest value in 8 bits. */
const LARGEST = 127;

/** Samples of one base, behind each other. */
export interface Examples {
  readonly layout: Layout;
  readonly count: number;
  /** [count, denseSize(layout)]. Each part is a direction: its length is not kept, since it is 1. */
  readonly dense: Int8Array;
  /** The likeliest classes of each in their order: [count, keptClasses(layout)]. */
  readonly classes: Uint16Array;
  /** Their scores: [count, keptClasses(layout)]. */
  readonly scores: Int8Array;
}

/** How many classes of the base each example has. */
export const keptClasses = ({ classes }: Layout): number => Math.min(KEPT_CLASSES, classes);

function quantise(values: Vector, target: Int8Array): void {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return;
  for (let i = 0; i < values.length; i++) target[i] = Math.round((values[i] / largest) * LARGEST);
}

/** Rounds samples to 8 bits. @param layout Of all of them. */
export function keepExamples(samples: readonly Sample[], layout: Layout): Examples {
  const [size, kept, parts] = [denseSize(layout), keptClasses(layout), partsOf(layout)];
  const examples = {
    layout,
    count: samples.length,
    dense: new Int8Array(samples.length * size),
    classes: new Uint16Array(samples.length * kept),
    scores: new Int8Array(samples.length * kept),
  };
  for (const [i, { dense, classes, scores }] of samples.entries()) {
    for (const { start, end } of parts)
      quantise(dense.subarray(start, end), examples.dense.subarray(i * size + start, i * size + end));
    examples.classes.set(classes, i * kept);
    quantise(scores, examples.scores.subarray(i * kept, (i + 1) * kept));
  }
  return examples;
}

/** 1 / the length of values from `start` to `end`; 0 for a part that is all zeros. */
function inverseLength(values: Int8Array, start: number, end: number): number {
  let squares = 0;
  for (let i = start; i < end; i++) squares += values[i] * values[i];
  return squares === 0 ? 0 : 1 / Math.sqrt(squares);
}

/** The samples that examples are of, which differ from those that were kept by the rounding. */
export function samplesOf({ layout, count, dense, classes, scores }: Examples): Sample[] {
  const [size, kept, parts] = [denseSize(layout), keptClasses(layout), partsOf(layout)];
  return Array.from({ length: count }, (_, i) => {
    const values = Float32Array.from(dense.subarray(i * size, (i + 1) * size));
    for (const { start, end } of parts) {
      const scale = inverseLength(dense, i * size + start, i * size + end);
      for (let c = start; c < end; c++) values[c] *= scale;
    }
    const scale = inverseLength(scores, i * kept, (i + 1) * kept);
    return {
      dense: values,
      classes: classes.slice(i * kept, (i + 1) * kept),
      scores: Float32Array.from(scores.subarray(i * kept, (i + 1) * kept), (score) => score * scale),
    };
  });
}

/** Some of the examples, in the order of `places`. */
export function chooseExamples(examples: Examples, places: readonly number[]): Examples {
  const { layout } = examples;
  const pick = <T extends Int8Array | Uint16Array>(values: T, width: number, target: T): T => {
    for (const [i, place] of places.entries())
      target.set(values.subarray(place * width, (place + 1) * width), i * width);
    return target;
  };
  const [size, kept] = [denseSize(layout), keptClasses(layout)];
  return {
    layout,
    count: places.length,
    dense: pick(examples.dense, size, new Int8Array(places.length * size)),
    classes: pick(examples.classes, kept, new Uint16Array(places.length * kept)),
    scores: pick(examples.scores, kept, new Int8Array(places.length * kept)),
  };
}

/** Examples behind those of the same base. */
export function joinExamples(first: Examples, second: Examples): Examples {
  const join = <T extends Int8Array | Uint16Array>(a: T, b: T, target: T): T => {
    target.set(a);
    target.set(b, a.length);
    return target;
  };
  return {
    layout: first.layout,
    count: first.count + second.count,
    dense: join(first.dense, second.dense, new Int8Array(first.dense.length + second.dense.length)),
    classes: join(first.classes, second.classes, new Uint16Array(first.classes.length + second.classes.length)),
    scores: join(first.scores, second.scores, new Int8Array(first.scores.length + second.scores.length)),
  };
}

/** Products of an Int8Array with floats in four sums, which do not wait for each other. */
function dot(bytes: Int8Array, offset: number, values: Float32Array, start: number, end: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = start;
  for (; i + 3 < end; i += 4) {
    a += bytes[offset + i] * values[i];
    b += bytes[offset + i + 1] * values[i + 1];
    c += bytes[offset + i + 2] * values[i + 2];
    d += bytes[offset + i + 3] * values[i + 3];
  }
  for (; i < end; i++) a += bytes[offset + i] * values[i];
  return a + b + (c + d);
}

/** Says how alike photos are to examples. */
export class Comparison {
  readonly #examples: Examples;
  readonly #parts: readonly Part[];
  /** 1 / the length of each part of each example, and of its scores. */
  readonly #scales: Float64Array;
  /** The scores of the photo that is compared, for each class of the base. */
  readonly #scores: Float64Array;

  constructor(examples: Examples) {
    const { layout, count, dense, scores } = examples;
    const [size, kept] = [denseSize(layout), keptClasses(layout)];
    this.#examples = examples;
    this.#parts = partsOf(layout);
    const width = this.#parts.length + 1;
    this.#scales = new Float64Array(count * width);
    for (let i = 0; i < count; i++) {
      for (const [p, { start, end }] of this.#parts.entries())
        this.#scales[i * width + p] = inverseLength(dense, i * size + start, i * size + end);
      this.#scales[i * width + width - 1] = inverseLength(scores, i * kept, (i + 1) * kept);
    }
    this.#scores = new Float64Array(layout.classes);
  }

  /** How alike a photo is to each example; see likeness(). */
  with(photo: Sample): Float64Array {
    const { layout, count, dense, classes, scores } = this.#examples;
    const [size, kept, width] = [denseSize(layout), keptClasses(layout), this.#parts.length + 1];
    const values = Float32Array.from(photo.dense);
    this.#scores.fill(0);
    for (const [i, index] of photo.classes.entries()) this.#scores[index] = photo.scores[i];
    const likenesses = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      let product = 0;
      for (let k = i * kept; k < (i + 1) * kept; k++) product += scores[k] * this.#scores[classes[k]];
      let sum = scoreLikeness(product * this.#scales[i * width + width - 1]);
      for (let p = 0; p < this.#parts.length; p++) {
        const { start, end, weight } = this.#parts[p];
        const cosine = dot(dense, i * size, values, start, end) * this.#scales[i * width + p];
        sum += partLikeness(weight, cosine);
      }
      likenesses[i] = sum;
    }
    return likenesses;
  }
}
