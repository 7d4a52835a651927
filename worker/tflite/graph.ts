/**
 * Reads a TensorFlow Lite file into a plain graph: tensors, operators with their options, inputs and outputs.
 * Field numbers are those of tensorflow/compiler/mlir/lite/schema/schema.fbs. What of it can be run is decided elsewhere.
 */
import { LabelerError } from "../errors.ts";
import { assertAssignedOnce } from "./assignments.ts";
import { operatorName } from "./builtin-operators.ts";
import { Table } from "./flatbuffers.ts";
import type { Operator, OperatorFormats, RawOperator } from "./operators.ts";
import { describeOther } from "./other-formats.ts";
import { shapeArithmetic } from "./shape-arithmetic.ts";

export type { Operator } from "./operators.ts";
export type { Activation } from "./options.ts";

const TENSOR_TYPES = [
  "float32",
  "float16",
  "int32",
  "uint8",
  "int64",
  "string",
  "bool",
  "int16",
  "complex64",
  "int8",
  "float64",
] as const;
export type TensorType = (typeof TENSOR_TYPES)[number] | `type ${number}`;

/** real = (quantised − zeroPoint) · scale; one pair, or one for each slice along `axis`. */
export interface Quantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
}

export interface Tensor {
  readonly index: number;
  readonly name: string;
  /** Outermost first: [batch, height, width, channels] for images; a filter is [output, height, width, input]. */
  readonly shape: readonly number[];
  /** Where `shape` only holds a placeholder, by dimension: the file leaves these open. */
  readonly open: readonly boolean[];
  readonly type: TensorType;
  readonly quantization: Quantization | undefined;
  /** Little-endian, not copied from the file and so perhaps not aligned; absent where the value is computed. */
  readonly data: Uint8Array | undefined;
}

export interface Graph {
  readonly tensors: readonly Tensor[];
  readonly operators: readonly Operator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Buffers that tools attach under a name, such as TFLITE_METADATA. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

/** An operator without options has all defaults: a table that is empty reads so. */
const EMPTY = Table.root(new DataView(new Uint8Array([8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0]).buffer));

/** A constant that the file does not have. */
const vector = (index: number, values: readonly number[]): Tensor => ({
  index,
  name: "",
  shape: [values.length],
  open: [],
  type: "int32",
  quantization: undefined,
  data: new Uint8Array(Int32Array.from(values).buffer),
});

function readRaw(operator: Table, index: number, codes: readonly Table[]): RawOperator {
  const code = codes[operator.uint32(0)];
  if (code === undefined) throw new RangeError(`operator ${index} has no operator code`);
  // Old files only have the deprecated byte, new ones both: the larger is the number (schema.fbs, OperatorCode).
  const name = operatorName(Math.max(code.int32(3), code.int8(0)));
  return {
    op: name === "CUSTOM" ? `${name} ${code.string(1)}` : name,
    inputs: operator.int32s(1),
    outputs: operator.int32s(2),
    options: operator.table(4) ?? EMPTY,
  };
}

/** All operators but those whose results are known before the graph runs: their outputs are constants then. */
function readOperators(
  raws: readonly RawOperator[],
  given: readonly Tensor[],
  formats: OperatorFormats,
): Pick<Graph, "tensors" | "operators"> {
  const constants = shapeArithmetic(given, raws, formats);
  const tensors = given.map((tensor) => ({ ...tensor, data: constants.get(tensor.index) ?? tensor.data }));
  const add = (values: readonly number[]) => tensors.push(vector(tensors.length, values)) - 1;
  const operators = raws.flatMap((raw, index) => {
    if (raw.outputs.some((at) => constants.has(at))) return [];
    const written = formats.get(raw.op)?.rewrite?.(raw, tensors, add) ?? [raw];
    return written.map(({ options, ...wiring }): Operator => {
      return { index, ...wiring, options: formats.get(wiring.op)?.options?.(options) };
    });
  });
  return { tensors, operators };
}

function readQuantization(table: Table | undefined): Quantization | undefined {
  const scale = table?.float32s(2) ?? [];
  if (table === undefined || scale.length === 0) return undefined;
  const zeroPoint = table.int64s(3);
  return { scale, zeroPoint: scale.map((_, index) => zeroPoint[index] ?? zeroPoint[0] ?? 0), axis: table.int32(6) };
}

/**
 * The bytes of each buffer. They stand in the FlatBuffer or, as newer converters write large ones, behind it: `offset` and
 * `size` then count bytes of the file. An offset of 0 or 1 means that there is none.
 */
function readBuffers(view: DataView, model: Table): Uint8Array[] {
  return model.tables(4).map((buffer) => {
    const [offset, size] = [buffer.uint64(1), buffer.uint64(2)];
    if (offset <= 1) return buffer.bytes(0);
    if (offset + size > view.byteLength) throw new RangeError("a buffer leaves the file");
    return new Uint8Array(view.buffer, view.byteOffset + offset, size);
  });
}

function readGraph(view: DataView, formats: OperatorFormats): Graph {
  const model = Table.root(view);
  const codes = model.tables(1);
  const buffers = readBuffers(view, model);
  const subgraph = model.tables(2)[0];
  if (subgraph === undefined) throw new RangeError("there is no subgraph");
  const tensors = subgraph.tables(0).map((tensor, index): Tensor => {
    const data = buffers[tensor.uint32(2)];
    const type = tensor.int8(1);
    return {
      index,
      name: tensor.string(3),
      shape: tensor.int32s(0),
      open: tensor.int32s(7).map((dim) => dim < 0),
      type: TENSOR_TYPES[type] ?? `type ${type}`,
      quantization: readQuantization(tensor.table(4)),
      data: data?.length ? data : undefined,
    };
  });
  const metadata = model.tables(6).map((entry) => {
    return [entry.string(0), buffers[entry.uint32(1)] ?? new Uint8Array()] as const;
  });
  const inputs = subgraph.int32s(1);
  const raws = subgraph.tables(3).map((operator, index) => readRaw(operator, index, codes));
  assertAssignedOnce(tensors, raws, inputs);
  return {
    ...readOperators(raws, tensors, formats),
    inputs,
    outputs: subgraph.int32s(2),
    metadata: new Map(metadata),
  };
}

/**
 * Reads the graph of a .tflite file. Constants are views into `file`, so keep it unchanged.
 *
 * @param formats The operators whose options are read. Others stay in the graph without options.
 * @throws LabelerError of kind model-unusable if the file is no TFLite file, is damaged, or has operators that overwrite a
 * tensor or read one before it is computed.
 */
export function readTflite(file: Uint8Array, formats: OperatorFormats): Graph {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 8 || new TextDecoder().decode(file.subarray(4, 8)) !== "TFL3") {
    throw new LabelerError("model-unusable", describeOther(file));
  }
  try {
    return readGraph(view, formats);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const cause = error.message.replace(/\.$/, "");
    throw new LabelerError("model-unusable", `The TensorFlow Lite file is damaged or cut short (${cause}).`, {
      cause: error,
    });
  }
}
