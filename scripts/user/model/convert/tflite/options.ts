/**
 * How the options of each operator are written, the counterpart of the readers in worker/inference/operators. Numbers of
 * fields and of the union BuiltinOptions are those of tensorflow/compiler/mlir/lite/schema/schema.fbs.
 */
import type {
  Activated,
  Activation,
  ConvOptions,
  PoolOptions,
  ReductionOptions,
} from "../../../../../worker/tflite/options.ts";
import { bool, float32, int8, int32, type table, uint8 } from "./flatbuffer.ts";

type Fields = Parameters<typeof table>[0];

interface Written {
  /** Of the union. */
  readonly union: number;
  readonly fields: Fields;
}

const ACTIVATIONS: readonly Activation[] = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6"];
const activationCode = ({ activation }: Activated) => int8(ACTIVATIONS.indexOf(activation));
const paddingCode = ({ padding }: Pick<ConvOptions, "padding">) => int8(padding === "same" ? 0 : 1);

const conv = ({ stride, dilation, ...options }: ConvOptions): Fields => ({
  0: paddingCode(options),
  1: int32(stride[1]),
  2: int32(stride[0]),
  3: activationCode(options),
  4: int32(dilation[1]),
  5: int32(dilation[0]),
});

/** The depth multiplier is the number of filters for each channel; TensorFlow Lite takes it from the shapes. */
const depthwise = ({ stride, dilation, ...options }: ConvOptions): Fields => ({
  0: paddingCode(options),
  1: int32(stride[1]),
  2: int32(stride[0]),
  4: activationCode(options),
  5: int32(dilation[1]),
  6: int32(dilation[0]),
});

const pool = ({ stride, size, ...options }: PoolOptions): Fields => ({
  0: paddingCode(options),
  1: int32(stride[1]),
  2: int32(stride[0]),
  3: int32(size[1]),
  4: int32(size[0]),
  5: activationCode(options),
});

const activated = (options: Activated): Fields => ({ 0: activationCode(options) });
const reduction = ({ keepDims }: ReductionOptions): Fields => ({ 0: bool(keepDims) });

// biome-ignore lint/suspicious/noExplicitAny: options are of as many types as there are operators
type Writer = readonly [union: number, fields: (options: any) => Fields];

const NO_FIELDS = () => ({});

const WRITERS: Readonly<Record<string, Writer>> = {
  CONV_2D: [1, conv],
  DEPTHWISE_CONV_2D: [2, depthwise],
  AVERAGE_POOL_2D: [5, pool],
  MAX_POOL_2D: [5, pool],
  FULLY_CONNECTED: [8, activated],
  SOFTMAX: [9, ({ beta }: { readonly beta: number }) => ({ 0: float32(beta) })],
  CONCATENATION: [
    10,
    ({ axis, ...options }: Activated & { readonly axis: number }) => ({ 0: int32(axis), 1: activationCode(options) }),
  ],
  ADD: [11, activated],
  RESIZE_BILINEAR: [15, () => ({ 2: bool(false), 3: bool(true) })],
  RESHAPE: [17, NO_FIELDS],
  MUL: [21, activated],
  PAD: [22, NO_FIELDS],
  TRANSPOSE: [26, NO_FIELDS],
  MEAN: [27, reduction],
  REDUCE_MAX: [27, reduction],
  SUM: [27, reduction],
  SUB: [28, activated],
  DIV: [29, activated],
  STRIDED_SLICE: [
    32,
    (masks: { readonly beginMask: number; readonly endMask: number }) => ({
      0: int32(masks.beginMask),
      1: int32(masks.endMask),
    }),
  ],
  EXP: [33, NO_FIELDS],
  LOG_SOFTMAX: [36, NO_FIELDS],
  MAXIMUM: [39, NO_FIELDS],
  MINIMUM: [39, NO_FIELDS],
  NEG: [42, NO_FIELDS],
  PADV2: [43, NO_FIELDS],
  SLICE: [48, NO_FIELDS],
  LEAKY_RELU: [75, ({ alpha }: { readonly alpha: number }) => ({ 0: float32(alpha) })],
  MIRROR_PAD: [77, ({ withEdge }: { readonly withEdge: boolean }) => ({ 0: int8(withEdge ? 1 : 0) })],
  ABS: [78, NO_FIELDS],
  HARD_SWISH: [91, NO_FIELDS],
  GELU: [116, ({ approximate }: { readonly approximate: boolean }) => ({ 0: uint8(approximate ? 1 : 0) })],
};

/** @returns Undefined for an operator that has no options. */
export function writtenOptions(op: string, options: unknown): Written | undefined {
  const writer = WRITERS[op];
  return writer && { union: writer[0], fields: writer[1](options) };
}
