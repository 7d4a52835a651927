/** Arithmetic of shapes that operators do before the graph runs: ../../tflite/shape-arithmetic.ts. */
import type { Table } from "../../tflite/flatbuffers.ts";
import type { Fold, Values } from "../../tflite/operators.ts";

type FoldValues = (inputs: readonly Values[], options: Table) => readonly (number | undefined)[] | undefined;

/** Folds an operator if all its inputs, and at least this many, are known. */
export const foldValues =
  (least: number, fold: FoldValues): Fold =>
  (inputs, options) => {
    const values = inputs.map((input) => input.values);
    if (values.length < least || !values.every((each) => each !== undefined)) return undefined;
    return fold(values, options);
  };

/** Folds an operator whose output has the values of its first input, in their order. */
export const foldSame: Fold = foldValues(1, ([values]) => values);

/** Folds an operator that joins its inputs. */
export const foldJoined: Fold = foldValues(1, (inputs) => inputs.flat());

/** Folds element by element; an input with one element is paired with each element of the other. */
export const foldPairs = (operation: (a: number, b: number) => number): Fold =>
  foldValues(2, ([a, b]) => {
    if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
      return operation(a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]);
    });
  });
