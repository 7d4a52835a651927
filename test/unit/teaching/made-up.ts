/** Generates photos' features for a base with few channels: each class has a centre, and its photos lie around it. */
import { keepExamples } from "../../../worker/teaching/examples.ts";
import type { Features } from "../../../worker/teaching/features.ts";
import { layoutOf, sampleOf } from "../../../worker/teaching/sample.ts";
import { type BaseStatistics, computeStatistics } from "../../../worker/teaching/statistics.ts";
import type { Lesson } from "../../../worker/teaching/teach.ts";
import { Random } from "../inference/random-graph.ts";

const WIDTHS = { pooled: 40, maxima: 40, late: 16, early: 12, probabilities: 50 } as const;

export type Widths = { readonly [name in keyof typeof WIDTHS]: number };

/** A photo of a class; class -1 is far from all others. */
export function photoOf(index: number, random: Random, widths: Widths = WIDTHS): Features {
  const make = (width: number, seed: number) => {
    const centre = new Random(1000 * seed + index + 2).floats(width);
    const away = random.floats(width);
    return centre.map((value, i) => value + 0.8 * away[i]);
  };
  const logits = make(widths.probabilities, 5).map((value) => Math.exp(2 * value));
  const sum = logits.reduce((a, b) => a + b, 0);
  return {
    pooled: make(widths.pooled, 1),
    maxima: make(widths.maxima, 2),
    late: make(widths.late, 3),
    early: make(widths.early, 4),
    probabilities: logits.map((value) => value / sum),
  };
}

export function statisticsOf(widths: Widths = WIDTHS): BaseStatistics {
  const random = new Random(77);
  return computeStatistics(Array.from({ length: 80 }, (_, i) => photoOf((i % 12) - 1, random, widths)));
}

/** A lesson of as many photos of each class as `sizes` says. */
export function lessonOf(sizes: readonly number[], widths: Widths = WIDTHS): Lesson {
  const random = new Random(3);
  const statistics = statisticsOf(widths);
  const classes = sizes.flatMap((size, index) => new Array<number>(size).fill(index));
  const photos = classes.map((index) => photoOf(index, random, widths));
  const digests = Uint8Array.from({ length: 32 * photos.length }, () => random.int(0, 255));
  return {
    base: { name: "base", sha256: "ab".repeat(32), precision: "exact", crop: "squash" },
    labels: sizes.map((_, index) => `class ${index}`),
    statistics,
    examples: keepExamples(
      photos.map((photo) => sampleOf(photo, statistics)),
      layoutOf(photos[0]),
    ),
    classes: Uint16Array.from(classes),
    digests,
  };
}
