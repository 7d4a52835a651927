/** Teaches a head: computes its weights, and estimates its errors, from examples and their classes. */
import { Comparison } from "./comparison.ts";
import { type HeadData, packTriangle } from "./head.ts";
import { selfLikeness } from "./kernel.ts";
import { MOST_CLASSES, MOST_EXAMPLES } from "./limits.ts";
import { teachNovelty } from "./novelty.ts";
import { type Ridge, type Task, teachRidge } from "./ridge.ts";
import { groupShots } from "./shots.ts";

/** The parts of a head that are given to it. */
export type Lesson = Pick<HeadData, "base" | "labels" | "statistics" | "examples" | "classes" | "digests">;

export interface Taught {
  readonly head: HeadData;
  /** The likeness of all pairs of photos, and the shots to which they belong. */
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
