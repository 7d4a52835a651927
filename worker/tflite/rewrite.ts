/** Operators that are others under another name, or several of another, written as those. */
import { operatorName } from "./operator-names.ts";
import type { RawOperator } from "./shape-arithmetic.ts";

interface Constant {
  readonly shape: readonly number[];
  readonly data: Uint8Array | undefined;
}

/** BuiltinOperator numbers of what is written. */
const MUL = 18;
const RESHAPE = 22;
const SLICE = 65;

/** @returns The index of a new constant, a vector of int32. */
type AddConstant = (values: readonly number[]) => number;

/** The parts that SPLIT and SPLIT_V make, each as a slice, of which the outputs' shapes tell begin and size. */
function slices(
  operator: RawOperator,
  [value, axisTensor]: readonly (number | undefined)[],
  tensors: readonly Constant[],
  add: AddConstant,
): readonly RawOperator[] | undefined {
  const { shape } = tensors[value ?? -1] ?? {};
  const { data } = tensors[axisTensor ?? -1] ?? {};
  if (value === undefined || shape === undefined || data?.length !== 4) return undefined;
  const stated = new DataView(data.buffer, data.byteOffset, 4).getInt32(0, true);
  const axis = stated < 0 ? stated + shape.length : stated;
  let begin = 0;
  return operator.outputs.map((output) => {
    const size = tensors[output]?.shape ?? [];
    const inputs = [value, add(shape.map((_, i) => (i === axis ? begin : 0))), add(size)];
    begin += size[axis] ?? 0;
    return { ...operator, code: SLICE, inputs, outputs: [output] };
  });
}

/** @returns What to run instead of an operator; undefined if it stays as it is. */
export function rewritten(
  operator: RawOperator,
  tensors: readonly Constant[],
  add: AddConstant,
): readonly RawOperator[] | undefined {
  const [first, second, third] = operator.inputs;
  switch (operatorName(operator.code)) {
    case "EXPAND_DIMS":
      return [{ ...operator, code: RESHAPE, inputs: [first] }];
    case "SQUARE":
      return [{ ...operator, code: MUL, inputs: [first, first] }];
    case "SPLIT":
      return slices(operator, [second, first], tensors, add);
    case "SPLIT_V":
      return slices(operator, [first, third], tensors, add);
    default:
      return undefined;
  }
}

/** The operators that are written as others. */
export const REWRITTEN = ["EXPAND_DIMS", "SQUARE", "SPLIT", "SPLIT_V"] as const;
