/**
 * The operators that this reader knows, with their options. Field numbers are those of
 * tensorflow/compiler/mlir/lite/schema/schema.fbs.
 */
import type { Table } from "./flatbuffers.ts";
import { operatorName } from "./operator-names.ts";
import type { RawOperator } from "./shape-arithmetic.ts";

const ACTIVATIONS = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

interface Activated {
  readonly activation: Activation;
}

interface Window2d extends Activated {
  readonly padding: "same" | "valid";
  /** [vertical, horizontal], in pixels. */
  readonly stride: readonly [number, number];
}

export interface ConvOptions extends Window2d {
  /** [vertical, horizontal], in pixels. */
  readonly dilation: readonly [number, number];
}

export interface PoolOptions extends Window2d {
  /** [height, width], in pixels. */
  readonly size: readonly [number, number];
}

interface Reduction {
  readonly keepDims: boolean;
}

/** Masks have a bit for each dimension, the first one's being the lowest. */
export interface StridedSliceOptions {
  /** Where the stated begin does not count, but the dimension's own. */
  readonly beginMask: number;
  /** The same of ends. */
  readonly endMask: number;
  /** Where dimensions are left out, and where one is to be added. */
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  /** Where a single index is taken, and the dimension goes. */
  readonly shrinkMask: number;
  /** Whether ends are counted from the begins. */
  readonly offset: boolean;
}

/** What the operators have for options; undefined if nothing. */
interface OptionsOf {
  CONV_2D: ConvOptions;
  DEPTHWISE_CONV_2D: ConvOptions;
  FULLY_CONNECTED: Activated & { readonly shuffledWeights: boolean };
  AVERAGE_POOL_2D: PoolOptions;
  MAX_POOL_2D: PoolOptions;
  MEAN: Reduction;
  SUM: Reduction;
  REDUCE_MAX: Reduction;
  ADD: Activated;
  SUB: Activated;
  MUL: Activated;
  DIV: Activated;
  MAXIMUM: undefined;
  MINIMUM: undefined;
  SQUARED_DIFFERENCE: undefined;
  PRELU: undefined;
  RELU: undefined;
  RELU6: undefined;
  RELU_N1_TO_1: undefined;
  RELU_0_TO_1: undefined;
  LEAKY_RELU: { readonly alpha: number };
  LOGISTIC: undefined;
  TANH: undefined;
  HARD_SWISH: undefined;
  ELU: undefined;
  /** Approximate: by TANH instead of the error function. */
  GELU: { readonly approximate: boolean };
  EXP: undefined;
  ABS: undefined;
  NEG: undefined;
  SQRT: undefined;
  RSQRT: undefined;
  SOFTMAX: { readonly beta: number };
  LOG_SOFTMAX: undefined;
  PAD: undefined;
  PADV2: undefined;
  /** Whether the edge itself is mirrored, too. */
  MIRROR_PAD: { readonly withEdge: boolean };
  CONCATENATION: Activated & { readonly axis: number };
  SLICE: undefined;
  STRIDED_SLICE: StridedSliceOptions;
  TRANSPOSE: undefined;
  RESHAPE: undefined;
  SQUEEZE: undefined;
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
/** An operator that this reader has no options for: `code` is its name in BuiltinOperator, or the custom op's. */
export type UnknownOperator = OperatorBase & { readonly op: "UNKNOWN"; readonly code: string };
export type Operator = KnownOperator | UnknownOperator;

/** An operator by its name, if it is known. */
export type Of<Op extends KnownOp> = Extract<KnownOperator, { op: Op }>;

const activationIn = (options: Table, field: number): Activation => {
  const found = ACTIVATIONS[options.int8(field)];
  if (found === undefined) throw new RangeError(`activation ${options.int8(field)} does not exist`);
  return found;
};

const window2d = (options: Table, activationField: number): Window2d => ({
  padding: options.int8(0) === 0 ? "same" : "valid",
  stride: [options.int32(2), options.int32(1)],
  activation: activationIn(options, activationField),
});

const pool = (options: Table): PoolOptions => ({
  ...window2d(options, 5),
  size: [options.int32(4), options.int32(3)],
});

const none = (): undefined => undefined;
const activated = (options: Table): Activated => ({ activation: activationIn(options, 0) });
const reduction = (options: Table): Reduction => ({ keepDims: options.bool(0) });

const READ_OPTIONS: { [Op in KnownOp]: (options: Table) => OptionsOf[Op] } = {
  CONV_2D: (options) => ({ ...window2d(options, 3), dilation: [options.int32(5, 1), options.int32(4, 1)] }),
  DEPTHWISE_CONV_2D: (options) => ({ ...window2d(options, 4), dilation: [options.int32(6, 1), options.int32(5, 1)] }),
  FULLY_CONNECTED: (options) => ({ ...activated(options), shuffledWeights: options.int8(1) !== 0 }),
  AVERAGE_POOL_2D: pool,
  MAX_POOL_2D: pool,
  MEAN: reduction,
  SUM: reduction,
  REDUCE_MAX: reduction,
  ADD: activated,
  SUB: activated,
  MUL: activated,
  DIV: activated,
  MAXIMUM: none,
  MINIMUM: none,
  SQUARED_DIFFERENCE: none,
  PRELU: none,
  RELU: none,
  RELU6: none,
  RELU_N1_TO_1: none,
  RELU_0_TO_1: none,
  LEAKY_RELU: (options) => ({ alpha: options.float32(0) }),
  LOGISTIC: none,
  TANH: none,
  HARD_SWISH: none,
  ELU: none,
  GELU: (options) => ({ approximate: options.bool(0) }),
  EXP: none,
  ABS: none,
  NEG: none,
  SQRT: none,
  RSQRT: none,
  SOFTMAX: (options) => ({ beta: options.float32(0) }),
  LOG_SOFTMAX: none,
  PAD: none,
  PADV2: none,
  MIRROR_PAD: (options) => ({ withEdge: options.int8(0) === 1 }),
  CONCATENATION: (options) => ({ axis: options.int32(0), activation: activationIn(options, 1) }),
  SLICE: none,
  STRIDED_SLICE: (options) => ({
    beginMask: options.int32(0),
    endMask: options.int32(1),
    ellipsisMask: options.int32(2),
    newAxisMask: options.int32(3),
    shrinkMask: options.int32(4),
    offset: options.bool(5),
  }),
  TRANSPOSE: none,
  RESHAPE: none,
  SQUEEZE: none,
  QUANTIZE: none,
  DEQUANTIZE: none,
};

/** The operators of a graph, by their TFLite names. */
export const KNOWN_OPS: readonly string[] = Object.keys(READ_OPTIONS);

const isKnown = (name: string): name is KnownOp => Object.hasOwn(READ_OPTIONS, name);

/** @param custom The name of a custom operator. */
export function readOperator({ code, inputs, outputs, options }: RawOperator, index: number, custom: string): Operator {
  const base = { index, inputs, outputs };
  const op = operatorName(code);
  if (!isKnown(op)) return { ...base, op: "UNKNOWN", code: op === "CUSTOM" ? `CUSTOM ${custom}` : op };
  return { ...base, op, options: READ_OPTIONS[op](options) } as KnownOperator;
}

/** The fused activation of any operator. */
export const activationOf = ({ options }: KnownOperator): Activation =>
  options !== undefined && "activation" in options ? options.activation : "NONE";
