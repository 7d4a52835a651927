/** Operators with weights: on tfjs' fused convolutions, and on the convolution kernels of a plan. */
import type { Rank, Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";
import { type Activated, type ConvOptions, readActivated, readWindow } from "../../tflite/options.ts";
import { sizeOf } from "../constants.ts";
import type { OperatorContext } from "../context.ts";
import { convolutionStep } from "../plan/lower/convolution/convolution.ts";
import { computed, type OperatorTensors } from "./definition.ts";

/** Transposes [output, …], as in TFLite, to […, output], as in tfjs. */
function outputLast(values: Float32Array, outputs: number): Float32Array {
  const inner = values.length / outputs;
  const transposed = new Float32Array(values.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inner; i++) transposed[i * outputs + o] = values[o * inner + i];
  }
  return transposed;
}

type Ends = [before: number, after: number];

/**
 * The padding of a convolution. TensorFlow.js's own "same" gives wrong results on its WebAssembly backend where a window is
 * narrower than its stride.
 *
 * @param size The height and width of the input. @param window Those of the filter.
 */
function paddingOf(
  { stride, dilation, padding }: ConvOptions,
  size: readonly number[],
  window: readonly number[],
): "same" | "valid" | [Ends, Ends, Ends, Ends] {
  if (padding !== "same" || stride.every((step, axis) => step <= window[axis])) return padding;
  const [rows, columns] = stride.map((step, axis): Ends => {
    const covered = (Math.ceil(size[axis] / step) - 1) * step + (window[axis] - 1) * dilation[axis] + 1;
    const all = Math.max(0, covered - size[axis]);
    return [all >> 1, all - (all >> 1)];
  });
  return [[0, 0], rows, columns, [0, 0]];
}

const geometry = (options: ConvOptions, context: OperatorContext) => ({
  strides: [...options.stride] as [number, number],
  dilations: [...options.dilation] as [number, number],
  pad: paddingOf(options, context.shape(0).slice(1, 3), context.shape(1).slice(1, 3)),
});

/** The options that tfjs fuses with a convolution. In integer arithmetic the output is the exact sums. */
const fusedWith = (context: OperatorContext) => ({
  activation: context.activation.fused,
  ...(context.has(2) && { bias: context.keep<Tensor1D>(context.values(2), context.shape(2)) }),
});

function checkWindow({ stride, dilation }: ConvOptions, { inputs: [input, filter] }: OperatorTensors) {
  if (filter?.shape.length !== 4 || input?.shape.length !== 4) return "is not two-dimensional";
  if (stride.some((s) => s > 1) && dilation.some((d) => d > 1)) return "has both strides and dilation";
  return undefined;
}

const WEIGHTED = { inputs: 2, weighted: true, fusesActivation: true } as const;

export const CONVOLUTIONS = {
  CONV_2D: computed<ConvOptions>({
    ...WEIGHTED,
    computes: "a convolution",
    endsBlock: true,
    options: (table) => ({ ...readWindow(table, 3), dilation: [table.int32(5, 1), table.int32(4, 1)] }),
    check({ options }, tensors) {
      const [channels = 0, own] = tensors.inputs.map((tensor) => tensor?.shape[3]);
      return (
        checkWindow(options, tensors) ??
        (own === channels
          ? undefined
          : `is a grouped convolution (${channels} channels in, filters for ${own}), which is not supported`)
      );
    },
    reference({ options }, context) {
      const { tf, activation } = context;
      const fused = fusedWith(context);
      const [outputs, height, width, inputs] = context.shape(1);
      const filter = context.keep<Tensor4D>(outputLast(context.values(1), outputs), [height, width, inputs, outputs]);
      const window = geometry(options, context);
      return ([x]) => activation.after(tf.fused.conv2d({ x: x as Tensor4D, filter, ...window, ...fused }));
    },
    lower: (builder, operator) => [convolutionStep(builder, { ...operator, form: "dense" })],
  }),
  DEPTHWISE_CONV_2D: computed<ConvOptions>({
    ...WEIGHTED,
    computes: "a convolution of each channel for itself",
    options: (table) => ({ ...readWindow(table, 4), dilation: [table.int32(6, 1), table.int32(5, 1)] }),
    check({ options }, tensors) {
      const [channels = 0, filters = 0] = tensors.inputs.map((tensor) => tensor?.shape[3]);
      return (
        checkWindow(options, tensors) ??
        (filters % channels === 0 ? undefined : `has ${filters} filters for ${channels} channels`)
      );
    },
    reference({ options }, context) {
      const { tf, activation } = context;
      const fused = fusedWith(context);
      const [, height, width, outputs] = context.shape(1);
      const channels = context.shape(0)[3];
      // TFLite orders outputs by input channel first, like tfjs' [channels, multiplier]: no transposition is needed.
      const filter = context.keep<Tensor4D>(context.values(1), [height, width, channels, outputs / channels]);
      const { pad, ...window } = geometry(options, context);
      const padded = { ...window, pad: pad as "same" }; // The type lacks explicit padding, which works.
      return ([x]) => activation.after(tf.fused.depthwiseConv2d({ x: x as Tensor4D, filter, ...padded, ...fused }));
    },
    lower: (builder, operator) => [convolutionStep(builder, { ...operator, form: "depthwise" })],
  }),
  FULLY_CONNECTED: computed<Activated & { readonly shuffledWeights: boolean }>({
    ...WEIGHTED,
    computes: "a matrix of weights times x",
    options: (table) => ({ ...readActivated(table), shuffledWeights: table.int8(1) !== 0 }),
    check({ options }, { inputs: [input, weights] }) {
      if (options.shuffledWeights) return "has shuffled weights, which are not supported";
      const shape = input?.shape ?? [];
      const fits = sizeOf(shape) % (weights?.shape[1] ?? 0) === 0;
      return fits ? undefined : `has an input of shape [${shape}] that its weights do not fit`;
    },
    reference(_, context) {
      // Uses a 1×1 convolution, since tfjs runs that on XNNPACK, unlike matMul.
      const { tf, activation } = context;
      const fused = fusedWith(context);
      const [outputs, inputs] = context.shape(1);
      const shape = [...context.outputShape];
      const filter = context.keep<Tensor4D>(outputLast(context.values(1), outputs), [1, 1, inputs, outputs]);
      return ([x]) => {
        const rows = tf.reshape<Rank.R4>(x, [-1, 1, 1, inputs]);
        const sums = tf.fused.conv2d({ x: rows, filter, strides: 1, pad: "valid", ...fused });
        return activation.after(tf.reshape(sums, shape));
      };
    },
    lower: (builder, operator) => [convolutionStep(builder, { ...operator, form: "matrix" })],
  }),
};
