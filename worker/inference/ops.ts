/**
 * One TFLite operator as calls of tfjs: `compile` takes its constants out of the graph once and gives a function of the
 * tensors that change. Quantised convolutions are summed in integers as TFLite sums them; other quantised operators
 * compute on real numbers and round the result to the output's type.
 */

import type { Tensor4D, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { activationOf, type KnownOperator, type PoolOptions, type Quantization, type Tensor } from "../tflite/graph.ts";
import { type Activate, activate, activated, LINEAR } from "./activation.ts";
import type { OpContext, Step } from "./context.ts";
import { type Convolution, compileConvolution } from "./convolutions.ts";
import { functionOf, isFunction } from "./functions.ts";
import { mapValues } from "./map-values.ts";
import { pairsOf } from "./pairs.ts";
import { quantizedRange } from "./range.ts";
import { type Requantization, requantize } from "./requantize.ts";
import { tensorAt } from "./support.ts";
import * as tf from "./tfjs.bundle.js";

type Unweighted = Exclude<KnownOperator, Convolution>;

/** The scale and zero point of a tensor that is quantised, absent for a float one. */
function quantizationOf({ type, quantization }: Tensor): { scale: number; zeroPoint: number } | undefined {
  if (type === "float32" || quantization === undefined) return undefined;
  return { scale: quantization.scale[0], zeroPoint: quantization.zeroPoint[0] };
}

const sameQuantization = (a: Quantization | undefined, b: Quantization | undefined): boolean =>
  a?.scale[0] === b?.scale[0] && a?.zeroPoint[0] === b?.zeroPoint[0];

/** Operators that only choose or move values: on one scale, integers go in and the same integers come out. */
const MOVES: ReadonlySet<string> = new Set([
  ...["RESHAPE", "SQUEEZE", "PAD", "PADV2", "MIRROR_PAD", "CONCATENATION", "SLICE", "STRIDED_SLICE", "TRANSPOSE"],
  ...["MAX_POOL_2D", "REDUCE_MAX", "MAXIMUM", "MINIMUM"],
]);
/** Operators all of whose inputs are values. */
const ALIKE: ReadonlySet<string> = new Set(["CONCATENATION", "MAXIMUM", "MINIMUM"]);
/** Operators that average: on one scale, they do so on the integers. */
const AVERAGES: ReadonlySet<string> = new Set(["AVERAGE_POOL_2D", "MEAN"]);

const isConvolution = (operator: KnownOperator): operator is Convolution =>
  operator.op === "CONV_2D" || operator.op === "DEPTHWISE_CONV_2D" || operator.op === "FULLY_CONNECTED";

function compileReal(context: OpContext, operator: KnownOperator, how: Activate): Step {
  const step = isConvolution(operator)
    ? compileConvolution(context, operator, "real", how)
    : compileUnweighted(context, operator, "real", how);
  const scales = operator.inputs
    .filter((index) => index !== -1 && !context.isConstant(index))
    .map((index) => quantizationOf(tensorAt(context.graph, operator, index))?.scale);
  if (scales.every((scale) => scale === undefined)) return step;
  return (inputs) => step(inputs.map((x, i) => (scales[i] === undefined ? x : tf.mul(x, scales[i]))));
}

/** The integer sums of a convolution and what they are to be multiplied by, if it is quantised throughout. */
function compileInteger(context: OpContext, operator: KnownOperator, scale: number): [Step, number[]] | undefined {
  if (!isConvolution(operator)) return undefined;
  const input = quantizationOf(tensorAt(context.graph, operator, operator.inputs[0]));
  const weights = tensorAt(context.graph, operator, operator.inputs[1]);
  if (input === undefined || quantizationOf(weights) === undefined || weights.quantization === undefined)
    return undefined;
  const multipliers = weights.quantization.scale.map((weight) => (input.scale * weight) / scale);
  return [compileConvolution(context, operator, "integer", LINEAR), multipliers];
}

/** Whether all the tensors that values come from have the scale of the output. */
function onOneScale(context: OpContext, operator: KnownOperator, output: Tensor): boolean {
  const sources = ALIKE.has(operator.op) ? operator.inputs : operator.inputs.slice(0, 1);
  return sources.every((index) => {
    return sameQuantization(tensorAt(context.graph, operator, index).quantization, output.quantization);
  });
}

/**
 * Compiles one operator that support.ts has accepted.
 *
 * @throws LabelerError of kind model-unusable if a constant that it needs is computed, too short or of an odd type.
 */
export function compile(context: OpContext, operator: KnownOperator): Step {
  const output = tensorAt(context.graph, operator, operator.outputs[0]);
  const activation = activationOf(operator);
  const quantized = quantizationOf(output);
  if (quantized === undefined) return compileReal(context, operator, activate(activation));

  const { scale, zeroPoint } = quantized;
  const range = quantizedRange(activation, scale, zeroPoint, output.type);
  const rounded = (step: Step, multipliers: readonly number[], rounding: Requantization["rounding"]): Step => {
    const how = { multipliers, rounding, ...range };
    return (inputs) => requantize(step(inputs), how);
  };
  const integer = compileInteger(context, operator, scale);
  if (integer !== undefined) return rounded(...integer, "fixed");
  if (!isConvolution(operator) && onOneScale(context, operator, output)) {
    if (MOVES.has(operator.op) && activation === "NONE") {
      return compileUnweighted(context, operator, "integer", LINEAR);
    }
    if (AVERAGES.has(operator.op)) return rounded(compileUnweighted(context, operator, "integer", LINEAR), [1], "once");
  }
  return rounded(compileReal(context, operator, LINEAR), [1 / scale], "once");
}

function pool(
  x: TfTensor,
  { size, stride, padding }: PoolOptions,
  op: typeof tf.avgPool | typeof tf.maxPool,
): TfTensor {
  return op(x as Tensor4D, [...size], [...stride], padding);
}

const BINARY = {
  ADD: tf.add,
  SUB: tf.sub,
  MUL: tf.mul,
  DIV: tf.div,
  MAXIMUM: tf.maximum,
  MINIMUM: tf.minimum,
  SQUARED_DIFFERENCE: (a: TfTensor, b: TfTensor) => tf.mul(tf.sub(a, b), tf.sub(a, b)),
  PRELU: (x: TfTensor, slope: TfTensor) => tf.add(tf.relu(x), tf.mul(slope, tf.minimum(x, 0))),
};

/** Functions of one number that tfjs has kernels for. */
const UNARY: { readonly [op: string]: ((x: TfTensor) => TfTensor) | undefined } = {
  RELU: tf.relu,
  RELU6: tf.relu6,
  LOGISTIC: tf.sigmoid,
};

const REDUCTION = { MEAN: tf.mean, SUM: tf.sum, REDUCE_MAX: tf.max };

/** log(softmax(x)) along the last dimension, without the rounding of small probabilities. */
function logSoftmax(x: TfTensor): TfTensor {
  const below = tf.sub(x, tf.max(x, -1, true));
  return tf.sub(below, mapValues(tf.sum(mapValues(below, Math.exp), -1, true), Math.log));
}

/** The inputs of an operator in their order: constants from tfjs' memory, the others as they come. */
function inputsOf(
  context: OpContext,
  operator: KnownOperator,
  arithmetic: "real" | "integer",
): (changing: readonly TfTensor[]) => TfTensor[] {
  const constants = operator.inputs.map((index) => {
    if (!context.isConstant(index)) return undefined;
    const tensor = tensorAt(context.graph, operator, index);
    return context.keep(context.values(tensor, arithmetic), tensor.shape);
  });
  return (changing) => {
    let next = 0;
    return constants.map((constant) => constant ?? changing[next++]);
  };
}

function compileUnweighted(
  context: OpContext,
  operator: Unweighted,
  arithmetic: "real" | "integer",
  how: Activate,
): Step {
  // Only through the context, here and below: what a step's closure can see, it keeps in memory.
  const integersIn = (position: number) =>
    context.integers(tensorAt(context.graph, operator, operator.inputs[position]));
  const second = () => integersIn(1);
  /** A step of one changing input. */
  const unary = (op: (x: TfTensor) => TfTensor): Step => {
    return ([x]) => activated(op(x), how);
  };
  if (isFunction(operator)) {
    const of = functionOf(operator);
    return unary(UNARY[operator.op] ?? ((x) => mapValues(x, of)));
  }
  switch (operator.op) {
    case "AVERAGE_POOL_2D":
      return unary((x) => pool(x, operator.options, tf.avgPool));
    case "MAX_POOL_2D":
      return unary((x) => pool(x, operator.options, tf.maxPool));
    case "MEAN":
    case "SUM":
    case "REDUCE_MAX": {
      const axes = second();
      const reduce = REDUCTION[operator.op];
      return unary((x) => reduce(x, axes, operator.options.keepDims));
    }
    case "PAD":
    case "PADV2": {
      const paddings = pairsOf(second());
      const [value = 0] =
        operator.op === "PAD" ? [] : context.values(tensorAt(context.graph, operator, operator.inputs[2]), arithmetic);
      return unary((x) => tf.pad(x, paddings, value));
    }
    case "MIRROR_PAD": {
      const paddings = pairsOf(second());
      return unary((x) => tf.mirrorPad(x, paddings, operator.options.withEdge ? "symmetric" : "reflect"));
    }
    case "SLICE": {
      const [begin, size] = [second(), integersIn(2)];
      return unary((x) => tf.slice(x, begin, size));
    }
    case "STRIDED_SLICE": {
      const [begin, last, strides] = [second(), integersIn(2), integersIn(3)];
      const { beginMask, endMask, shrinkMask, offset } = operator.options;
      const { shape } = tensorAt(context.graph, operator, operator.inputs[0]);
      const first = begin.map((at, axis) => (at < 0 ? at + shape[axis] : at));
      const end = offset ? last.map((at, axis) => at + first[axis]) : last;
      return unary((x) => tf.stridedSlice(x, begin, end, strides, beginMask, endMask, 0, 0, shrinkMask));
    }
    case "TRANSPOSE": {
      const order = second();
      return unary((x) => tf.transpose(x, order));
    }
    case "ADD":
    case "SUB":
    case "MUL":
    case "DIV":
    case "MAXIMUM":
    case "MINIMUM":
    case "SQUARED_DIFFERENCE":
    case "PRELU": {
      const all = inputsOf(context, operator, arithmetic);
      const op = BINARY[operator.op];
      return (changing) => {
        const [a, b] = all(changing);
        return activated(op(a, b), how);
      };
    }
    case "CONCATENATION": {
      const all = inputsOf(context, operator, arithmetic);
      return (changing) => activated(tf.concat(all(changing), operator.options.axis), how);
    }
    case "RESHAPE":
    case "SQUEEZE": {
      const { shape } = tensorAt(context.graph, operator, operator.outputs[0]);
      return unary((x) => tf.reshape(x, [...shape]));
    }
    case "SOFTMAX": {
      const { beta } = operator.options;
      return unary((x) => tf.softmax(beta === 1 ? x : tf.mul(x, beta)));
    }
    case "LOG_SOFTMAX":
      return unary(logSoftmax);
    case "QUANTIZE":
    case "DEQUANTIZE":
      // Both are done by what surrounds them. The reshape makes a tensor of its own over the same memory, since the
      // executor frees the input.
      return unary((x) => tf.reshape(x, x.shape));
  }
}
