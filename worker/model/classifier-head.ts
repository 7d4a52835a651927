/**
 * A classifier head that was taught with a user's photos and takes the place of the last layers of a base: what the rest of
 * the labeler needs to know of one. What a head computes is its own matter.
 */
import { LabelerError } from "../errors.ts";
import type { Input } from "../inference/input.ts";
import type { Runner } from "../inference/runner.ts";
import type { Parts } from "../runtime/parts.ts";

export interface HeadScores {
  /** Of each of the head's classes, 0..1. */
  readonly probabilities: Float32Array;
  /** Whether the image is of none of the classes. */
  readonly isUnknown: boolean;
}

export interface ClassifierHead {
  /** The names of its classes, in the order of their probabilities. */
  readonly labels: readonly string[];
  /** How many bytes the head keeps resident beside the weights of its base. */
  readonly residentBytes: number;
  /**
   * Runs the base once, takes the features of that run, and scores them.
   *
   * @param runner Of the base.
   * @param input One image, normalised as the base takes it.
   */
  infer(runner: Runner, input: Input): Parts<HeadScores>;
}

/**
 * Reads the file that model.json names as `head`.
 *
 * @throws LabelerError of kind model-unusable that says what is wrong with it.
 */
export function readClassifierHead(_bytes: Uint8Array): ClassifierHead {
  throw new LabelerError(
    "model-unusable",
    "model.json, head: this release of the labeler cannot read classifier heads. Leave the field out.",
  );
}
