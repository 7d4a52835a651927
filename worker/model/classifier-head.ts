/**
 * A classifier head that was taught with a user's photos and replaces the last layers of a base: the interface for the
 * rest of the labeler. worker/teaching implements the computation of a head.
 */
import type { Features } from "../teaching/features.ts";
import { Head, type HeadBase } from "../teaching/head.ts";
import { readHead } from "../teaching/head-file.ts";
import type { PlaceRows } from "../teaching/rows.ts";

export interface HeadScores {
  /** The probability of each of the head's classes, 0..1. */
  readonly probabilities: Float32Array;
  /** Whether the image is of none of the classes. */
  readonly isUnknown: boolean;
}

export interface ClassifierHead {
  /** The names of its classes, in the order of their probabilities. */
  readonly labels: readonly string[];
  /** The network with which the head was taught: it does not fit any other. */
  readonly base: HeadBase;
  /** How many bytes the head keeps resident beside the weights of its base. */
  readonly residentBytes: number;
  /** @throws LabelerError of kind model-unusable if the features are not of a network like the base. */
  score(features: Features): HeadScores;
}

/**
 * Reads the file that model.json names as `head`.
 *
 * @param place Where images are compared with the head's examples; in JavaScript if absent.
 * @throws LabelerError of kind model-unusable that says what is wrong with it.
 */
export function readClassifierHead(bytes: Uint8Array, place?: PlaceRows): ClassifierHead {
  const head = new Head(readHead(bytes), place);
  return {
    labels: head.labels,
    base: head.data.base,
    residentBytes: head.residentBytes,
    score: (features) => head.score(features),
  };
}
