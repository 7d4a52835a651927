/** Taught photos as a head keeps them: samples in 8 bits, about 3 KB each. A photo cannot be made of one again. */
import { partsOf } from "./kernel.ts";
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
