/** Operators that apply a function to each value. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Table } from "../../tflite/flatbuffers.ts";
import type { ReferenceOps } from "../context.ts";
import { erf } from "../erf.ts";
import { UnaryOperation } from "../plan/layouts.ts";
import {
  type ByteRange,
  byteFunction,
  hardSwish,
  inF32,
  inverseRoot,
  leaky,
  magnitude,
  type OfByte,
  rescaled,
  root,
  wholeRange,
} from "../plan/lower/byte-functions.ts";
import { functionOfByte } from "../plan/lower/compose.ts";
import { endsOf, functionStep } from "../plan/lower/functions.ts";
import { convert, refuse } from "../plan/lower/parts.ts";
import { type ByteValue, clampOf, rangeOf, type Value } from "../plan/lower/value.ts";
import type { KernelStep } from "../plan/step.ts";
import { type ComputedOperator, computed, type ValueType } from "./definition.ts";

/** A function of a real number. */
type OfReal = (x: number) => number;

interface UnaryFunction<Options> {
  readonly computes: string;
  readonly options?: (table: Table) => Options;
  readonly types?: readonly ValueType[];
  readonly givesProbabilities?: ComputedOperator["givesProbabilities"];
  /** The function as TensorFlow Lite defines it. */
  readonly of: (options: Options) => OfReal;
  /** The same function, if tfjs has a kernel for it. */
  readonly tfjs?: (tf: ReferenceOps) => (x: TfTensor) => TfTensor;
  /** The step that computes it in f32. */
  readonly f32: (ends: readonly [Value, Value], options: Options) => KernelStep;
  /** TensorFlow Lite's uint8 and int8 arithmetic; f32 arithmetic if it is not stated. */
  readonly u8?: (input: ByteValue, output: ByteValue, options: Options) => OfByte;
  /** The range of the stored integers; that of the type if it is not stated. */
  readonly range?: ByteRange;
}

export interface UnaryOperator<Options> extends ComputedOperator<Options> {
  readonly of: UnaryFunction<Options>["of"];
}

function unary<Options = undefined>(given: UnaryFunction<Options>): UnaryOperator<Options> {
  const { of, tfjs, f32, u8, range = wholeRange, ...described } = given;
  return {
    ...computed<Options>({
      ...described,
      reference(operator, { tf }) {
        const own = of(operator.options);
        const compute = tfjs?.(tf) ?? ((x: TfTensor) => tf.mapValues(x, own));
        return ([x]) => compute(x);
      },
      lower(builder, operator) {
        const [input, output] = endsOf(builder, operator);
        const { options } = operator;
        if (input.kind === "f32" && output.kind === "f32") {
          const step = f32([input, output], options);
          builder.functions.addStep(builder.root(output.tensor.index), step);
          return [step];
        }
        if (input.kind !== "u8" || output.kind !== "u8") return refuse(operator, "mixes floats and integers");
        const ofByte = u8?.(input, output, options) ?? inF32(input, output, of(options));
        return [functionOfByte(builder, input, output, byteFunction(ofByte, input, output, range))];
      },
    }),
    of,
  };
}

const kernel =
  (operation: UnaryOperation) =>
  ([input, output]: readonly [Value, Value]): KernelStep =>
    functionStep(operation, input, output);

const clampKernel =
  (limits: readonly [low: number, high: number]) =>
  (ends: readonly [Value, Value]): KernelStep =>
    convert("f32_vclamp", ends, { limits });

const clamp = ([low, high]: readonly [number, number]): OfReal => {
  return (x) => Math.min(high, Math.max(low, x));
};

/** Operators that clamp values, which exist as fused activations, too. */
const clamping = (
  activation: "RELU" | "RELU6" | "RELU_N1_TO_1",
  described: Pick<UnaryFunction<undefined>, "computes" | "tfjs">,
) =>
  unary({
    ...described,
    of: () => clamp(clampOf(activation)),
    f32: clampKernel(clampOf(activation)),
    u8: rescaled,
    range(output) {
      const { low, high } = rangeOf(activation, output);
      return [low, high];
    },
  });

const UNIT = [0, 1] as const;
const FLOAT_AND_INT8 = ["float32", "int8"] as const;

export const UNARY = {
  RELU: clamping("RELU", { computes: "x, at least 0", tfjs: (tf) => tf.relu }),
  RELU6: clamping("RELU6", { computes: "x, held in 0…6", tfjs: (tf) => tf.relu6 }),
  RELU_N1_TO_1: clamping("RELU_N1_TO_1", { computes: "x, held in −1…1" }),
  RELU_0_TO_1: unary({
    computes: "x, held in 0…1",
    of: () => clamp(UNIT),
    f32: clampKernel(UNIT),
    u8: rescaled,
    range(output) {
      const [low, high] = wholeRange(output);
      return [Math.max(low, output.zero), Math.min(high, output.zero + Math.round(1 / output.scale))];
    },
  }),
  LEAKY_RELU: unary({
    computes: "x, times alpha where it is negative",
    options: (table) => ({ alpha: table.float32(0) }),
    of:
      ({ alpha }) =>
      (x) =>
        x > 0 ? x : x * alpha,
    f32: ([input, output], { alpha }) => functionStep(UnaryOperation.leakyRelu, input, output, alpha),
    u8: (input, output, { alpha }) => leaky(input, output, alpha),
  }),
  LOGISTIC: unary({
    computes: "1 / (1 + e⁻ˣ)",
    givesProbabilities: "of-each-class",
    of: () => (x) => 1 / (1 + Math.exp(-x)),
    tfjs: (tf) => tf.sigmoid,
    f32: kernel(UnaryOperation.logistic),
  }),
  TANH: unary({ computes: "tanh x", of: () => Math.tanh, f32: kernel(UnaryOperation.tanh) }),
  HARD_SWISH: unary({
    computes: "x · ReLU6(x + 3) / 6",
    of: () => (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
    f32: (ends) => convert("f32_vhswish", ends, {}),
    u8: hardSwish,
  }),
  ELU: unary({
    computes: "x, or eˣ − 1 where it is negative",
    types: ["float32"],
    of: () => (x) => (x < 0 ? Math.expm1(x) : x),
    f32: kernel(UnaryOperation.elu),
  }),
  GELU: unary({
    computes: "x · Φ(x), exact or by tanh",
    /** Whether it is approximated by tanh instead of computed by the error function. */
    options: (table) => ({ approximate: table.bool(0) }),
    of: ({ approximate }) =>
      approximate
        ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
        : (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
    f32: ([input, output], { approximate }) =>
      functionStep(approximate ? UnaryOperation.geluApproximate : UnaryOperation.gelu, input, output),
  }),
  EXP: unary({ computes: "eˣ", types: FLOAT_AND_INT8, of: () => Math.exp, f32: kernel(UnaryOperation.exp) }),
  ABS: unary({
    computes: "|x|",
    types: FLOAT_AND_INT8,
    of: () => Math.abs,
    f32: kernel(UnaryOperation.abs),
    u8: magnitude,
  }),
  NEG: unary({
    computes: "−x",
    // For uint8 and int8, TensorFlow Lite negates without regard to scale and zero point.
    types: ["float32"],
    of: () => (x) => -x,
    f32: kernel(UnaryOperation.neg),
  }),
  SQRT: unary({
    computes: "√x",
    types: FLOAT_AND_INT8,
    of: () => Math.sqrt,
    f32: kernel(UnaryOperation.sqrt),
    u8: root,
  }),
  RSQRT: unary({
    computes: "1 / √x",
    types: FLOAT_AND_INT8,
    of: () => (x) => 1 / Math.sqrt(x), // infinite at 0
    f32: kernel(UnaryOperation.rsqrt),
    u8: inverseRoot,
  }),
  LOG: unary({
    computes: "ln x",
    types: FLOAT_AND_INT8,
    of: () => Math.log,
    f32: kernel(UnaryOperation.log),
    // For values that are not positive, TensorFlow Lite returns the lowest value of the type.
    u8: (input, output) => inF32(input, output, (x) => (x > 0 ? Math.log(x) : Number.NEGATIVE_INFINITY)),
  }),
};
