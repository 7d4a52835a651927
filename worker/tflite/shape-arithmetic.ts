/**
 * What a graph computes of its own shapes. Converters leave it in wherever they were not told the size of the batch, as Keras
 * does by default: the target of a RESHAPE is then put together of a SHAPE's parts. Here a batch has one image, all shapes
 * are known, and so are these values, before anything runs.
 */
import type { Table } from "./flatbuffers.ts";

/** The integers of a scalar or a vector. */
type Values = readonly number[];

/** What of a tensor is needed here. */
interface Shaped {
  readonly shape: readonly number[];
  readonly type: string;
  readonly data: Uint8Array | undefined;
}

/** An operator as it stands in the file. */
export interface RawOperator {
  /** In BuiltinOperator. */
  readonly code: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: Table;
}

/** A shape has a few dimensions; with that bound, no file can have much computed. */
const MOST_VALUES = 32;

const known = (values: readonly (number | undefined)[]): values is Values =>
  values.length <= MOST_VALUES && values.every((value) => Number.isSafeInteger(value));

/** The integers of a small constant, if it is one. */
function constant({ shape, type, data }: Shaped): Values | undefined {
  if (data === undefined || shape.length > 1 || (shape[0] ?? 1) > MOST_VALUES) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const length = shape[0] ?? 1;
  if (type === "int32" && data.length === 4 * length) {
    return Array.from({ length }, (_, i) => view.getInt32(4 * i, true));
  }
  if (type === "int64" && data.length === 8 * length) {
    return Array.from({ length }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }
  return undefined;
}

/** As a constant of the file would hold them. */
function bytes(values: Values, type: string): Uint8Array {
  if (type === "int32") return new Uint8Array(Int32Array.from(values).buffer);
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}

/** A slice of a vector, or with `shrink` an element of it. The masks say which of the bounds do not count. */
function slice(options: Table, [values, begins, ends, strides]: readonly Values[]): Values | undefined {
  const [beginMask, endMask, ellipsis, newAxis] = [0, 1, 2, 3].map((field) => options.int32(field));
  const [length, [begin = 0], [end = 0], [stride = 0]] = [values.length, begins, ends, strides];
  if (ellipsis !== 0 || newAxis !== 0 || begins.length !== 1 || stride < 1) return undefined;
  const bound = (at: number) => Math.max(0, Math.min(length, at < 0 ? at + length : at));
  const first = beginMask & 1 ? 0 : bound(begin);
  if (options.int32(4) & 1) return values.slice(first, first + 1);
  const last = endMask & 1 ? length : options.bool(5) ? bound(first + end) : bound(end);
  return values.slice(first, last).filter((_, i) => i % stride === 0);
}

/** Element by element; what has one element goes with each of the other's. */
function elementwise([a, b]: readonly Values[], operation: (a: number, b: number) => number): Values | undefined {
  if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    return operation(a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]);
  });
}

type Fold = (inputs: readonly Values[], options: Table) => readonly (number | undefined)[] | undefined;

const same: Fold = ([values]) => values;

/** By the number of the operator. SHAPE, whose input need not be known, is not among them. */
const FOLDS: ReadonlyMap<number, Fold> = new Map<number, Fold>([
  [0, (inputs) => elementwise(inputs, (a, b) => a + b)], // ADD
  [2, (inputs) => inputs.flat()], // CONCATENATION
  [18, (inputs) => elementwise(inputs, (a, b) => a * b)], // MUL
  [22, same], // RESHAPE
  [36, ([values, indices]) => indices.map((i) => values[i])], // GATHER
  [41, (inputs) => elementwise(inputs, (a, b) => a - b)], // SUB
  [43, same], // SQUEEZE
  [45, (inputs, options) => slice(options, inputs)], // STRIDED_SLICE
  [53, same], // CAST
  [70, same], // EXPAND_DIMS
  [81, ([values]) => [values.reduce((product, value) => product * value, 1)]], // REDUCE_PROD
  [83, (inputs) => inputs.flat()], // PACK
]);
const SHAPE = 77;

/**
 * Computes what can be known of integers before a graph runs.
 *
 * @returns The data of tensors that have become constants, by tensor; operators that only compute such are not needed.
 */
export function shapeArithmetic(
  tensors: readonly Shaped[],
  operators: readonly RawOperator[],
): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Values>();
  const valuesOf = (index: number): Values | undefined => {
    const tensor = tensors[index];
    return values.get(index) ?? (tensor && constant(tensor));
  };
  const found = new Map<number, Uint8Array>();
  for (const { code, inputs, outputs, options } of operators) {
    const fold = FOLDS.get(code);
    if ((fold === undefined && code !== SHAPE) || outputs.length !== 1 || inputs.length === 0) continue;
    const output = tensors[outputs[0]];
    if ((output?.type !== "int32" && output?.type !== "int64") || output.shape.length > 1) continue;
    let result: readonly (number | undefined)[] | undefined;
    if (fold === undefined) result = tensors[inputs[0]]?.shape;
    else {
      const all = inputs.map(valuesOf);
      if (all.every((each) => each !== undefined)) result = fold(all, options);
    }
    if (result === undefined || !known(result) || result.length !== (output.shape[0] ?? 1)) continue;
    values.set(outputs[0], result);
    found.set(outputs[0], bytes(result, output.type));
  }
  return found;
}
