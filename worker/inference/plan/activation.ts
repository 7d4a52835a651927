/** What a class activation map is; plan.ts makes it. */

/** How much each place of the image speaks for a class, in units of the class's score before the softmax. */
export interface ClassActivation {
  readonly height: number;
  readonly width: number;
  /** [height, width]; the score is their mean and `bias`. */
  readonly values: Float32Array;
  readonly bias: number;
}

/** Thrown where a network does not end in a way that has such maps. No fault of the file. */
export class NoActivation extends Error {}
