/** Teaches a head: from examples and their classes to all that scores other photos, and to what is known of its errors. */
import { Comparison } from "./comparison.ts";
import type { Examples } from "./examples.ts";
import { type HeadBase, type HeadData, packTriangle } from "./head.ts";
import { selfLikeness } from "./kernel.ts";
import { MOST_CLASSES, MOST_EXAMPLES } from "./limits.ts";
import { teachNovelty } from "./novelty.ts";
import { type Ridge, type Task, teachRidge } from "./ridge.ts";
import { groupShots } from "./shots.ts";
import type { BaseStatistics } from "./statistics.ts";

export interface Lesson {
  readonly base: HeadBase;
  readonly labels: readonly string[];
  readonly statistics: BaseStatistics;
  readonly examples: Examples;
  readonly classes: Uint16Array;
  readonly digests: Uint8Array;
}

export interface Taught {
  readonly head: HeadData;
  /** How alike every two photos are, and which of them are of one shot. */
  readonly task: Task;
  readonly ridge: Ridge;
}

/**
 * Teaches a head. The same lesson gives the same head, to the last bit.
 *
 * @throws RangeError for fewer than two classes, a class without examples, or more than there may be.
 */
export function teachHead(lesson: Lesson): Taught {
  const { labels, examples, classes } = lesson;
  const classCount = labels.length;
  if (classCount < 2 || classCount > MOST_CLASSES) throw new RangeError(`there are ${classCount} classes`);
  if (examples.count > MOST_EXAMPLES) throw new RangeError(`there are ${examples.count} examples`);
  const present = new Set(classes);
  const empty = labels.findIndex((_, index) => !present.has(index));
  if (empty !== -1) throw new RangeError(`class ${empty} has no examples`);
  const likeness = new Comparison(examples).matrix();
  const self = selfLikeness(examples.layout);
  const task: Task = { likeness, classes: [...classes], classCount, groups: groupShots(likeness, classes, self) };
  const ridge = teachRidge(task);
  const novelty = teachNovelty(task, self);
  const head: HeadData = {
    ...lesson,
    weights: Float32Array.from(ridge.weights),
    bias: Float32Array.from(ridge.bias),
    strength: ridge.strength,
    temperature: ridge.temperature,
    novelty: novelty && { threshold: novelty.threshold, triangle: packTriangle(novelty.triangle, examples.count) },
  };
  return { head, task, ridge };
}
