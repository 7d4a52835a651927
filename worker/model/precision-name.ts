/** The names of the precisions, for whoever needs no more of them. */

/**
 * `exact`: floats as they are; `fast`: floats in integers of 16 bits; `quantised`: a quantised network in TensorFlow
 * Lite's own integer arithmetic.
 */
export const PRECISIONS = ["exact", "fast", "quantised"] as const;
export type Precision = (typeof PRECISIONS)[number];
