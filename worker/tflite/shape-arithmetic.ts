/**
 * What a graph computes of its own shapes. Converters leave it in wherever they were not told the size of the batch, as Keras
 * does by default: the target of a RESHAPE is then put together of a SHAPE's parts. Here a batch has one image, all shapes
 * are known, and so are these values, before anything runs.
 */
import type { OperatorFormats, RawOperator, Values } from "./operators.ts";

/** What of a tensor is needed here. */
interface Shaped {
  readonly shape: readonly number[];
  readonly type: string;
  readonly data: Uint8Array | undefined;
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

/**
 * Computes what can be known of integers before a graph runs.
 *
 * @returns The data of tensors that have become constants, by tensor; operators that only compute such are not needed.
 */
export function shapeArithmetic(
  tensors: readonly Shaped[],
  operators: readonly RawOperator[],
  formats: OperatorFormats,
): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Values>();
  const valuesOf = (index: number): Values | undefined => {
    const tensor = tensors[index];
    return values.get(index) ?? (tensor && constant(tensor));
  };
  const found = new Map<number, Uint8Array>();
  for (const { op, inputs, outputs, options } of operators) {
    const fold = formats.get(op)?.fold;
    if (fold === undefined || outputs.length !== 1 || inputs.length === 0) continue;
    const output = tensors[outputs[0]];
    if ((output?.type !== "int32" && output?.type !== "int64") || output.shape.length > 1) continue;
    const given = inputs.map((index) => ({ shape: tensors[index]?.shape, values: valuesOf(index) }));
    const result = fold(given, options);
    if (result === undefined || !known(result) || result.length !== (output.shape[0] ?? 1)) continue;
    values.set(outputs[0], result);
    found.set(outputs[0], bytes(result, output.type));
  }
  return found;
}
