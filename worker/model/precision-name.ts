/** The names of the precisions, without any of their code. */

/**
 * `exact`: f32 throughout; `fast`: f32 values computed as int16; `quantised`: a quantised network in TensorFlow Lite's
 * own integer arithmetic.
 */
export const PRECISIONS = ["exact", "fast", "quantised"] as const;
export type Precision = (typeof PRECISIONS)[number];
