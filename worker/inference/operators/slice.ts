/** Operators that select some values of a tensor, or reorder all of them. */
import type { Table } from "../../tflite/flatbuffers.ts";
import type { Rewrite, Values } from "../../tflite/operators.ts";
import { type StridedSliceOptions, sliceSteps, stridedSliceSteps, transposeSteps } from "../plan/lower/copies.ts";
import { ALL_TYPES, computed, type RewrittenOperator } from "./definition.ts";
import { foldValues } from "./fold.ts";

const readStridedSlice = (table: Table): StridedSliceOptions => ({
  beginMask: table.int32(0),
  endMask: table.int32(1),
  ellipsisMask: table.int32(2),
  newAxisMask: table.int32(3),
  shrinkMask: table.int32(4),
  offset: table.bool(5),
});

/** A slice or an element of a vector. */
function sliceOfVector(options: StridedSliceOptions, [values, begins, ends, strides]: readonly Values[]) {
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkMask, offset } = options;
  const [length, [begin = 0], [end = 0], [stride = 0]] = [values.length, begins, ends, strides];
  if (ellipsisMask !== 0 || newAxisMask !== 0 || begins.length !== 1 || stride < 1) return undefined;
  const bound = (at: number) => Math.max(0, Math.min(length, at < 0 ? at + length : at));
  const first = beginMask & 1 ? 0 : bound(begin);
  if (shrinkMask & 1) return values.slice(first, first + 1);
  const last = endMask & 1 ? length : offset ? bound(first + end) : bound(end);
  return values.slice(first, last).filter((_, i) => i % stride === 0);
}

/** The parts of a split, each as a slice; the outputs' shapes give their begins and sizes. */
const slices =
  (valuePosition: number, axisPosition: number): Rewrite =>
  (operator, tensors, add) => {
    const value = operator.inputs[valuePosition];
    const { shape } = tensors[value ?? -1] ?? {};
    const { data } = tensors[operator.inputs[axisPosition] ?? -1] ?? {};
    if (value === undefined || shape === undefined || data?.length !== 4) return undefined;
    const stated = new DataView(data.buffer, data.byteOffset, 4).getInt32(0, true);
    const axis = stated < 0 ? stated + shape.length : stated;
    let begin = 0;
    return operator.outputs.map((output) => {
      const size = tensors[output]?.shape ?? [];
      const inputs = [value, add(shape.map((_, i) => (i === axis ? begin : 0))), add(size)];
      begin += size[axis] ?? 0;
      return { ...operator, op: "SLICE", inputs, outputs: [output] };
    });
  };

const split = (computes: string, rewrite: Rewrite): RewrittenOperator => ({
  kind: "rewritten",
  computes,
  types: ALL_TYPES,
  rewrite,
});

export const SLICES = {
  SLICE: computed({
    computes: "a part of x, by begin and size",
    inputs: 3,
    quantised: "moves",
    reference(_, context) {
      const { tf } = context;
      const [begin, size] = [context.integers(1), context.integers(2)];
      return ([x]) => tf.slice(x, begin, size);
    },
    lower: sliceSteps,
  }),
  STRIDED_SLICE: computed<StridedSliceOptions>({
    computes: "a part of x, by begin, end and stride",
    options: readStridedSlice,
    fold: foldValues(4, (inputs, table) => sliceOfVector(readStridedSlice(table), inputs)),
    inputs: 4,
    quantised: "moves",
    check({ options: { ellipsisMask, newAxisMask } }) {
      const fits = ellipsisMask === 0 && newAxisMask === 0;
      return fits ? undefined : "leaves dimensions out or adds some, which is not supported";
    },
    reference({ options: { beginMask, endMask, shrinkMask, offset } }, context) {
      const { tf } = context;
      const [begin, last, strides] = [context.integers(1), context.integers(2), context.integers(3)];
      const shape = context.shape(0);
      const first = begin.map((at, axis) => (at < 0 ? at + shape[axis] : at));
      const end = offset ? last.map((at, axis) => at + first[axis]) : last;
      return ([x]) => tf.stridedSlice(x, begin, end, strides, beginMask, endMask, 0, 0, shrinkMask);
    },
    lower: stridedSliceSteps,
  }),
  TRANSPOSE: computed({
    computes: "x with its dimensions in another order",
    inputs: 2,
    quantised: "moves",
    reference(_, context) {
      const { tf } = context;
      const order = context.integers(1);
      return ([x]) => tf.transpose(x, order);
    },
    lower: transposeSteps,
  }),
  SPLIT: split("x in parts of one size", slices(1, 0)),
  SPLIT_V: split("x in parts of stated sizes", slices(0, 2)),
};
