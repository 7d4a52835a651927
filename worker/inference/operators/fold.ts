/** Arithmetic of shapes, which operators do before the graph runs: ../../tflite/shape-arithmetic.ts. */
import type { Table } from "../../tflite/flatbuffers.ts";
import type { Fold, Values } from "../../tflite/operators.ts";

type FoldValues = (inputs: readonly Values[], options: Table) => readonly (number | undefined)[] | undefined;

/** Of inputs all of which are known, at least so many of them. */
export const foldValues =
  (least: number, fold: FoldValues): Fold =>
  (inputs, options) => {
    const values = inputs.map((input) => input.values);
    if (values.length < least || !values.every((each) => each !== undefined)) return undefined;
    return fold(values, options);
  };

/** What gives the values of its first input, in their order. */
export const foldSame: Fold = foldValues(1, ([values]) => values);

/** What joins its inputs. */
export const foldJoined: Fold = foldValues(1, (inputs) => inputs.flat());

/** Element by element; what has one element goes with each of the other's. */
export const foldPairs = (operation: (a: number, b: number) => number): Fold =>
  foldValues(2, ([a, b]) => {
    if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
      return operation(a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]);
    });
  });
