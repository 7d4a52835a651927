/**
 * One TFLite operator as calls of tfjs: `compile` takes its constants out of the graph once and gives a function of the
 * tensors that change. Quantised graphs are run on real numbers: weights are dequantised here, and each output is
 * clamped to what its quantised type can hold.
 */
import type { Tensor1D, Tensor4D, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { ConvOptions, Graph, KnownOperator, PoolOptions, Quantization, Tensor } from "../tflite/graph.ts";
import { integers, realValues } from "./constants.ts";
import { type Clamp, clampFor } from "./range.ts";
import { tensorAt } from "./support.ts";
import * as tf from "./tfjs.bundle.js";

/** Computes an operator's output from its inputs that are not constants, in their order. Call it within tf.tidy. */
export type Step = (inputs: readonly TfTensor[]) => TfTensor;

/** What an operator's compilation needs of its graph. */
export class OpContext {
  readonly graph: Graph;
  /** Constants that other operators make: weights behind a DEQUANTIZE. By tensor index. */
  readonly folded = new Map<number, Float32Array>();
  /** Every constant that lives in tfjs' memory on behalf of the compiled steps. */
  readonly kept: TfTensor[] = [];

  constructor(graph: Graph) {
    this.graph = graph;
  }

  isConstant(index: number): boolean {
    return this.folded.has(index) || this.graph.tensors[index]?.data !== undefined;
  }

  /** The real values of a constant tensor, in the order of the file. */
  values(tensor: Tensor): Float32Array {
    return this.folded.get(tensor.index) ?? realValues(tensor);
  }

  /** Puts a constant into tfjs' memory until the executor is disposed of. */
  keep<T extends TfTensor>(values: Float32Array, shape: readonly number[]): T {
    const tensor = tf.keep(tf.tensor(values, [...shape], "float32"));
    this.kept.push(tensor);
    return tensor as T;
  }
}

/** [output, height, width, input] as TFLite has it → [height, width, input, output] as tfjs wants it. */
function transposeFilter(values: Float32Array, [outputs = 0, ...rest]: readonly number[]): Float32Array {
  const inner = rest.reduce((product, dim) => product * dim, 1);
  const transposed = new Float32Array(values.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inner; i++) transposed[i * outputs + o] = values[o * inner + i];
  }
  return transposed;
}

const UNCLAMPED: Clamp = { fused: "linear", clip: undefined };

function clip(tensor: TfTensor, clamp: Clamp): TfTensor {
  return clamp.clip === undefined ? tensor : tf.clipByValue(tensor, clamp.clip.low, clamp.clip.high);
}

/** Applies a clamp to the output of an op that tfjs has no fused activation for. */
function hold(tensor: TfTensor, clamp: Clamp): TfTensor {
  if (clamp.fused === "relu") return tf.relu(tensor);
  if (clamp.fused === "relu6") return tf.relu6(tensor);
  return clip(tensor, clamp);
}

const activationOf = ({ options }: KnownOperator) =>
  options !== undefined && "activation" in options ? options.activation : "NONE";

/** The bias as a tensor in tfjs' memory; absent where the operator has none. */
function bias(context: OpContext, operator: KnownOperator): { bias?: Tensor1D } {
  const index = operator.inputs[2] ?? -1;
  if (index === -1) return {};
  const tensor = tensorAt(context.graph, operator, index);
  return { bias: context.keep<Tensor1D>(context.values(tensor), tensor.shape) };
}

type Window = { x: TfTensor; options: ConvOptions };
const geometry = ({ x, options }: Window) => ({
  x: x as Tensor4D,
  strides: [...options.stride] as [number, number],
  dilations: [...options.dilation] as [number, number],
  pad: options.padding,
});

function compileConv(context: OpContext, operator: KnownOperator & { op: "CONV_2D" }, clamp: Clamp): Step {
  const weights = tensorAt(context.graph, operator, operator.inputs[1]);
  const [outputs = 0, height = 0, width = 0, inputs = 0] = weights.shape;
  const filter = context.keep<Tensor4D>(transposeFilter(context.values(weights), weights.shape), [
    height,
    width,
    inputs,
    outputs,
  ]);
  const fixed = { filter, activation: clamp.fused, ...bias(context, operator) };
  return ([x]) =>
    clip(tf.fused.conv2d({ ...geometry({ x: x as TfTensor, options: operator.options }), ...fixed }), clamp);
}

function compileDepthwise(
  context: OpContext,
  operator: KnownOperator & { op: "DEPTHWISE_CONV_2D" },
  clamp: Clamp,
): Step {
  const weights = tensorAt(context.graph, operator, operator.inputs[1]);
  const channels = tensorAt(context.graph, operator, operator.inputs[0]).shape[3] ?? 1;
  const [, height = 0, width = 0, outputs = 0] = weights.shape;
  // Channels of TFLite's output are input-major, as tfjs' [channels, multiplier] is: no transposition.
  const filter = context.keep<Tensor4D>(context.values(weights), [height, width, channels, outputs / channels]);
  const fixed = { filter, activation: clamp.fused, ...bias(context, operator) };
  return ([x]) => {
    return clip(
      tf.fused.depthwiseConv2d({ ...geometry({ x: x as TfTensor, options: operator.options }), ...fixed }),
      clamp,
    );
  };
}

/** As a 1×1 convolution, since that runs on XNNPACK in tfjs and matMul does not. */
function compileFullyConnected(
  context: OpContext,
  operator: KnownOperator & { op: "FULLY_CONNECTED" },
  output: Tensor,
  clamp: Clamp,
): Step {
  const weights = tensorAt(context.graph, operator, operator.inputs[1]);
  const [outputs = 0, inputs = 0] = weights.shape;
  const filter = context.keep<Tensor4D>(transposeFilter(context.values(weights), [outputs, inputs]), [
    1,
    1,
    inputs,
    outputs,
  ]);
  const fixed = { filter, strides: 1, pad: "valid" as const, activation: clamp.fused, ...bias(context, operator) };
  return ([x]) => {
    const rows = tf.reshape(x as TfTensor, [-1, 1, 1, inputs]) as Tensor4D;
    return clip(tf.reshape(tf.fused.conv2d({ x: rows, ...fixed }), [...output.shape]), clamp);
  };
}

function pool(x: TfTensor, options: PoolOptions, op: typeof tf.avgPool | typeof tf.maxPool): TfTensor {
  return op(x as Tensor4D, [...options.size], [...options.stride], options.padding);
}

const BINARY = { ADD: tf.add, SUB: tf.sub, MUL: tf.mul };

const sameQuantization = (a: Quantization | undefined, b: Quantization | undefined): boolean =>
  a?.scale[0] === b?.scale[0] && a?.zeroPoint[0] === b?.zeroPoint[0];

/** Ops whose output stays between the smallest and the largest value of their inputs. */
const RANGE_KEEPING: ReadonlySet<string> = new Set([
  "RESHAPE",
  "SQUEEZE",
  "MAX_POOL_2D",
  "AVERAGE_POOL_2D",
  "MEAN",
  "CONCATENATION",
]);

function clampOf(context: OpContext, operator: KnownOperator, output: Tensor): Clamp {
  const inputs = operator.inputs.filter((index) => index !== -1 && !context.isConstant(index));
  const kept = RANGE_KEEPING.has(operator.op) && activationOf(operator) === "NONE";
  if (
    kept &&
    inputs.every((index) => sameQuantization(context.graph.tensors[index]?.quantization, output.quantization))
  ) {
    return UNCLAMPED;
  }
  return clampFor(activationOf(operator), output);
}

/**
 * Compiles one operator that support.ts has accepted.
 *
 * @throws LabelerError of kind model-unusable if a constant that it needs is computed, too short or of an odd type.
 */
export function compile(context: OpContext, operator: KnownOperator): Step {
  const { graph } = context;
  const output = tensorAt(graph, operator, operator.outputs[0]);
  const clamp = clampOf(context, operator, output);
  return compileOp(context, operator, output, clamp);
}

function compileOp(context: OpContext, operator: KnownOperator, output: Tensor, clamp: Clamp): Step {
  const { graph } = context;
  /** A step of one changing input. */
  const unary = (op: (x: TfTensor) => TfTensor): Step => {
    return ([x]) => hold(op(x as TfTensor), clamp);
  };
  switch (operator.op) {
    case "CONV_2D":
      return compileConv(context, operator, clamp);
    case "DEPTHWISE_CONV_2D":
      return compileDepthwise(context, operator, clamp);
    case "FULLY_CONNECTED":
      return compileFullyConnected(context, operator, output, clamp);
    case "AVERAGE_POOL_2D":
      return unary((x) => pool(x, operator.options, tf.avgPool));
    case "MAX_POOL_2D":
      return unary((x) => pool(x, operator.options, tf.maxPool));
    case "MEAN": {
      const axes = integers(tensorAt(graph, operator, operator.inputs[1]));
      return unary((x) => tf.mean(x, axes, operator.options.keepDims));
    }
    case "PAD": {
      const flat = integers(tensorAt(graph, operator, operator.inputs[1]));
      const paddings = Array.from(
        { length: flat.length / 2 },
        (_, i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0] as [number, number],
      );
      return unary((x) => tf.pad(x, paddings));
    }
    case "ADD":
    case "SUB":
    case "MUL":
    case "CONCATENATION": {
      const parts = operator.inputs.map((index) => {
        if (!context.isConstant(index)) return undefined;
        const tensor = tensorAt(graph, operator, index);
        return context.keep(context.values(tensor), tensor.shape);
      });
      return (inputs) => {
        let next = 0;
        const all = parts.map((part) => part ?? (inputs[next++] as TfTensor));
        if (operator.op === "CONCATENATION") return hold(tf.concat(all, operator.options.axis), clamp);
        return hold(BINARY[operator.op](all[0] as TfTensor, all[1] as TfTensor), clamp);
      };
    }
    case "RESHAPE":
    case "SQUEEZE":
      return unary((x) => tf.reshape(x, [...output.shape]));
    case "SOFTMAX": {
      const { beta } = operator.options;
      return unary((x) => tf.softmax(beta === 1 ? x : tf.mul(x, beta)));
    }
    case "LOGISTIC":
      return unary(tf.sigmoid);
    case "RELU":
      return unary(tf.relu);
    case "RELU6":
      return unary(tf.relu6);
    case "HARD_SWISH":
      return unary((x) => tf.mul(tf.mul(x, tf.relu6(tf.add(x, 3))), 1 / 6));
    case "QUANTIZE":
    case "DEQUANTIZE":
      // Real numbers stand for quantised ones all along: only the range may change. The reshape makes a tensor of its
      // own over the same memory, since the executor frees the input.
      return unary((x) => tf.reshape(x, x.shape));
  }
}
