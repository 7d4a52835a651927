/** The operators with weights: CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED on tfjs' fused convolutions. */
import type { Rank, Tensor1D, Tensor4D, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { ConvOptions, KnownOperator } from "../tflite/graph.ts";
import type { Activate } from "./activation.ts";
import type { OpContext, Step } from "./context.ts";
import { tensorAt } from "./support.ts";
import * as tf from "./tfjs.bundle.js";

export type Convolution = Extract<KnownOperator, { op: "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED" }>;

/** [output, …] as TFLite has it → […, output] as tfjs wants it. */
function outputLast(values: Float32Array, outputs: number): Float32Array {
  const inner = values.length / outputs;
  const transposed = new Float32Array(values.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inner; i++) transposed[i * outputs + o] = values[o * inner + i];
  }
  return transposed;
}

const geometry = ({ stride, dilation, padding }: ConvOptions) => ({
  strides: [...stride] as [number, number],
  dilations: [...dilation] as [number, number],
  pad: padding,
});

/**
 * @param arithmetic "integer" for quantised inputs and weights: the output then is the integer sums, exact.
 * @param how The activation to apply; none for integer sums.
 */
export function compileConvolution(
  context: OpContext,
  operator: Convolution,
  arithmetic: "real" | "integer",
  how: Activate,
): Step {
  const { graph } = context;
  const weights = tensorAt(graph, operator, operator.inputs[1]);
  const biasIndex = operator.inputs[2] ?? -1;
  const bias = biasIndex === -1 ? undefined : tensorAt(graph, operator, biasIndex);
  const fixed = {
    activation: how.fused,
    ...(bias && { bias: context.keep<Tensor1D>(context.values(bias, arithmetic), bias.shape) }),
  };
  const values = context.values(weights, arithmetic);
  const finish = (y: TfTensor) => how.after(y);
  switch (operator.op) {
    case "CONV_2D": {
      const [outputs, height, width, inputs] = weights.shape;
      const filter = context.keep<Tensor4D>(outputLast(values, outputs), [height, width, inputs, outputs]);
      const window = geometry(operator.options);
      return ([x]) => finish(tf.fused.conv2d({ x: x as Tensor4D, filter, ...window, ...fixed }));
    }
    case "DEPTHWISE_CONV_2D": {
      const [, height, width, outputs] = weights.shape;
      const channels = tensorAt(graph, operator, operator.inputs[0]).shape[3];
      // Outputs are ordered by input channel first in TFLite, and in tfjs' [channels, multiplier]: no transposition.
      const filter = context.keep<Tensor4D>(values, [height, width, channels, outputs / channels]);
      const window = geometry(operator.options);
      return ([x]) => finish(tf.fused.depthwiseConv2d({ x: x as Tensor4D, filter, ...window, ...fixed }));
    }
    case "FULLY_CONNECTED": {
      // As a 1×1 convolution, since that runs on XNNPACK in tfjs and matMul does not.
      const [outputs, inputs] = weights.shape;
      const { shape } = tensorAt(graph, operator, operator.outputs[0]);
      const filter = context.keep<Tensor4D>(outputLast(values, outputs), [1, 1, inputs, outputs]);
      return ([x]) => {
        const rows = tf.reshape<Rank.R4>(x, [-1, 1, 1, inputs]);
        return finish(tf.reshape(tf.fused.conv2d({ x: rows, filter, strides: 1, pad: "valid", ...fixed }), [...shape]));
      };
    }
  }
}
