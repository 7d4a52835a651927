/** Operators that are only supported in the arithmetic of shapes, which converters leave in graphs. */
import type { FoldedOperator } from "./definition.ts";
import { foldJoined, foldSame, foldValues } from "./fold.ts";

const folded = (fold: FoldedOperator["fold"]): FoldedOperator => ({ kind: "folded", fold });

export const SHAPES = {
  /** The values of its input need not be known. */
  SHAPE: folded(([{ shape }]) => shape),
  GATHER: folded(foldValues(2, ([values, indices]) => indices.map((i) => values[i]))),
  CAST: folded(foldSame),
  PACK: folded(foldJoined),
  REDUCE_PROD: folded(foldValues(1, ([values]) => [values.reduce((product, value) => product * value, 1)])),
};
