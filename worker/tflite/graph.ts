/**
 * Reads a TensorFlow Lite file into a plain graph: tensors, operators with their options, inputs and outputs.
 * Field numbers are those of tensorflow/compiler/mlir/lite/schema/schema.fbs. What of it can be run is decided elsewhere.
 */
import { LabelerError } from "../errors.ts";
import { Table } from "./flatbuffers.ts";
import { type RawOperator, shapeArithmetic } from "./shape-arithmetic.ts";

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

const ACTIVATIONS = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

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

interface Window2d {
  readonly padding: "same" | "valid";
  /** [vertical, horizontal], in pixels. */
  readonly stride: readonly [number, number];
  readonly activation: Activation;
}

export interface ConvOptions extends Window2d {
  /** [vertical, horizontal], in pixels. */
  readonly dilation: readonly [number, number];
}

export interface PoolOptions extends Window2d {
  /** [height, width], in pixels. */
  readonly size: readonly [number, number];
}

interface OptionsOf {
  CONV_2D: ConvOptions;
  DEPTHWISE_CONV_2D: ConvOptions;
  AVERAGE_POOL_2D: PoolOptions;
  MAX_POOL_2D: PoolOptions;
  MEAN: { readonly keepDims: boolean };
  ADD: { readonly activation: Activation };
  SUB: { readonly activation: Activation };
  MUL: { readonly activation: Activation };
  PAD: undefined;
  CONCATENATION: { readonly axis: number; readonly activation: Activation };
  FULLY_CONNECTED: { readonly activation: Activation; readonly shuffledWeights: boolean };
  RESHAPE: undefined;
  SQUEEZE: undefined;
  SOFTMAX: { readonly beta: number };
  LOGISTIC: undefined;
  RELU: undefined;
  RELU6: undefined;
  HARD_SWISH: undefined;
  QUANTIZE: undefined;
  DEQUANTIZE: undefined;
}
export type KnownOp = keyof OptionsOf;

interface OperatorBase {
  /** Its number in the file; the graph may be without some of those before it. */
  readonly index: number;
  /** Indices of tensors; −1 stands for an optional input that is absent. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}
export type KnownOperator = {
  [Op in KnownOp]: OperatorBase & { readonly op: Op; readonly options: OptionsOf[Op] };
}[KnownOp];
/** An operator that this reader has no options for: `code` is its number in BuiltinOperator, or the custom op's name. */
export type UnknownOperator = OperatorBase & { readonly op: "UNKNOWN"; readonly code: string };
export type Operator = KnownOperator | UnknownOperator;

export interface Graph {
  readonly tensors: readonly Tensor[];
  readonly operators: readonly Operator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Buffers that tools attach under a name, such as TFLITE_METADATA. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

/** BuiltinOperator numbers. */
const OP_CODES: ReadonlyMap<number, KnownOp> = new Map([
  [0, "ADD"],
  [1, "AVERAGE_POOL_2D"],
  [2, "CONCATENATION"],
  [3, "CONV_2D"],
  [4, "DEPTHWISE_CONV_2D"],
  [6, "DEQUANTIZE"],
  [9, "FULLY_CONNECTED"],
  [14, "LOGISTIC"],
  [17, "MAX_POOL_2D"],
  [18, "MUL"],
  [19, "RELU"],
  [21, "RELU6"],
  [22, "RESHAPE"],
  [25, "SOFTMAX"],
  [34, "PAD"],
  [40, "MEAN"],
  [41, "SUB"],
  [43, "SQUEEZE"],
  [114, "QUANTIZE"],
  [117, "HARD_SWISH"],
]);
const CUSTOM = 32;

const activation = (options: Table, field: number): Activation => {
  const found = ACTIVATIONS[options.int8(field)];
  if (found === undefined) throw new RangeError(`activation ${options.int8(field)} does not exist`);
  return found;
};

const window2d = (options: Table, activationField: number): Window2d => ({
  padding: options.int8(0) === 0 ? "same" : "valid",
  stride: [options.int32(2), options.int32(1)],
  activation: activation(options, activationField),
});

const pool = (options: Table): PoolOptions => ({
  ...window2d(options, 5),
  size: [options.int32(4), options.int32(3)],
});

const none = (): undefined => undefined;

const READ_OPTIONS: { [Op in KnownOp]: (options: Table) => OptionsOf[Op] } = {
  CONV_2D: (options) => ({ ...window2d(options, 3), dilation: [options.int32(5, 1), options.int32(4, 1)] }),
  DEPTHWISE_CONV_2D: (options) => ({ ...window2d(options, 4), dilation: [options.int32(6, 1), options.int32(5, 1)] }),
  AVERAGE_POOL_2D: pool,
  MAX_POOL_2D: pool,
  MEAN: (options) => ({ keepDims: options.bool(0) }),
  ADD: (options) => ({ activation: activation(options, 0) }),
  SUB: (options) => ({ activation: activation(options, 0) }),
  MUL: (options) => ({ activation: activation(options, 0) }),
  PAD: none,
  CONCATENATION: (options) => ({ axis: options.int32(0), activation: activation(options, 1) }),
  FULLY_CONNECTED: (options) => ({ activation: activation(options, 0), shuffledWeights: options.int8(1) !== 0 }),
  RESHAPE: none,
  SQUEEZE: none,
  SOFTMAX: (options) => ({ beta: options.float32(0) }),
  LOGISTIC: none,
  RELU: none,
  RELU6: none,
  HARD_SWISH: none,
  QUANTIZE: none,
  DEQUANTIZE: none,
};

/** An operator without options has all defaults: a table that is empty reads so. */
const EMPTY = Table.root(new DataView(new Uint8Array([8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0]).buffer));

/** @param custom The name of a custom operator. */
function readOperator({ code, inputs, outputs, options }: RawOperator, index: number, custom: string): Operator {
  const base = { index, inputs, outputs };
  const op = OP_CODES.get(code);
  if (op === undefined) {
    return { ...base, op: "UNKNOWN", code: code === CUSTOM ? `CUSTOM ${custom}` : `BuiltinOperator ${code}` };
  }
  return { ...base, op, options: READ_OPTIONS[op](options) } as KnownOperator;
}

/** All operators but those whose results are known before the graph runs: their outputs are constants then. */
function readOperators(
  operators: readonly Table[],
  codes: readonly Table[],
  tensors: readonly Tensor[],
): Pick<Graph, "tensors" | "operators"> {
  const read = operators.map((operator, index) => {
    const code = codes[operator.uint32(0)];
    if (code === undefined) throw new RangeError(`operator ${index} has no operator code`);
    const raw: RawOperator = {
      // Old files only have the deprecated byte, new ones both: the larger is the number (schema.fbs, OperatorCode).
      code: Math.max(code.int32(3), code.int8(0)),
      inputs: operator.int32s(1),
      outputs: operator.int32s(2),
      options: operator.table(4) ?? EMPTY,
    };
    return { raw, operator: readOperator(raw, index, code.string(1)) };
  });
  const raws = read.map(({ raw }) => raw);
  const constants = shapeArithmetic(tensors, raws);
  return {
    tensors: tensors.map((tensor) => ({ ...tensor, data: constants.get(tensor.index) ?? tensor.data })),
    operators: read.flatMap(({ operator }) => (operator.outputs.some((at) => constants.has(at)) ? [] : [operator])),
  };
}

function readQuantization(table: Table | undefined): Quantization | undefined {
  const scale = table?.float32s(2) ?? [];
  if (table === undefined || scale.length === 0) return undefined;
  const zeroPoint = table.int64s(3);
  return { scale, zeroPoint: scale.map((_, index) => zeroPoint[index] ?? zeroPoint[0] ?? 0), axis: table.int32(6) };
}

function readGraph(view: DataView): Graph {
  const model = Table.root(view);
  const codes = model.tables(1);
  const buffers = model.tables(4);
  const subgraph = model.tables(2)[0];
  if (subgraph === undefined) throw new RangeError("there is no subgraph");
  const tensors = subgraph.tables(0).map((tensor, index): Tensor => {
    const data = buffers[tensor.uint32(2)]?.bytes(0);
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
    return [entry.string(0), buffers[entry.uint32(1)]?.bytes(0) ?? new Uint8Array()] as const;
  });
  return {
    ...readOperators(subgraph.tables(3), codes, tensors),
    inputs: subgraph.int32s(1),
    outputs: subgraph.int32s(2),
    metadata: new Map(metadata),
  };
}

/**
 * Reads the graph of a .tflite file. Constants are views into `file`, so keep it unchanged.
 *
 * @throws LabelerError of kind model-unusable if the file is no TFLite file or is damaged.
 */
export function readTflite(file: Uint8Array): Graph {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 8 || new TextDecoder().decode(file.subarray(4, 8)) !== "TFL3") {
    throw new LabelerError("model-unusable", "This is not a TensorFlow Lite file: TFL3 does not stand at byte 4.");
  }
  try {
    return readGraph(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const cause = error.message.replace(/\.$/, "");
    throw new LabelerError("model-unusable", `The TensorFlow Lite file is damaged or cut short (${cause}).`, {
      cause: error,
    });
  }
}

/** The fused activation of any operator. */
export const activationOf = ({ options }: KnownOperator): Activation =>
  options !== undefined && "activation" in options ? options.activation : "NONE";
