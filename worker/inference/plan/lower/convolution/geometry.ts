/** How the output pixels of a convolution lie over its input. Knows no kernels. */
import type { Operator } from "../../../../tflite/graph.ts";
import type { Activated, ConvOptions } from "../../../../tflite/options.ts";
import type { Builder } from "../builder.ts";
import { mustFit, mustHold, mustSlide } from "../fit.ts";
import { NoPlan, tensorOf, type Value } from "../value.ts";

/** A convolution of all channels. */
interface Dense extends Operator<ConvOptions> {
  readonly form: "dense";
}
/** A convolution of each channel for itself. */
interface Depthwise extends Operator<ConvOptions> {
  readonly form: "depthwise";
}
/** Weights [outputs, inputs] without a window. */
interface Matrix extends Operator<Activated> {
  readonly form: "matrix";
}
export type Convolution = Dense | Depthwise | Matrix;
type Pair = readonly [vertical: number, horizontal: number];

export interface Geometry {
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Padding above and to the left. */
  readonly before: Pair;
}

/** The parameters of the window, which all convolution kernels share. */
export const windowOf = ({ kernel, stride, dilation, before }: Geometry) => ({
  kernelHeight: kernel[0],
  kernelWidth: kernel[1],
  strideY: stride[0],
  strideX: stride[1],
  dilationY: dilation[0],
  dilationX: dilation[1],
  top: before[0],
  left: before[1],
});

/** Whether patches of the input have to be gathered, since the input is not the matrix as it stands. */
export function gathers({ kernel, stride, before }: Geometry): boolean {
  return [...kernel, ...stride].some((n) => n !== 1) || before.some((n) => n !== 0);
}

/** @throws NoPlan if the shapes do not fit each other, or the batch is not 1. */
export function geometryOf(builder: Builder, operator: Convolution, input: Value, output: Value): Geometry {
  const filter = tensorOf(builder.graph, operator.inputs[1]).shape;
  const outChannels = filter[operator.form === "depthwise" ? 3 : 0];
  const bias = operator.inputs[2] ?? -1;
  if (bias !== -1) mustHold(operator, tensorOf(builder.graph, bias).shape, outChannels);
  if (operator.form === "matrix") {
    mustFit(operator, filter.length === 2 && output.size % outChannels === 0);
    mustHold(operator, input.tensor.shape, (output.size / outChannels) * filter[1]);
    const one: Pair = [1, 1];
    return { input: one, output: one, kernel: one, stride: one, dilation: one, before: [0, 0] };
  }
  const { stride, dilation, padding } = operator.options;
  const [batch, ...size] = input.tensor.shape;
  if (batch !== 1) throw new NoPlan(`operator ${operator.index} (${operator.op}) has a batch of ${batch}`);
  const outer = output.tensor.shape;
  const padded = tensorOf(builder.graph, operator.inputs[0]).shape;
  mustSlide(operator, padded, outer, { ...operator.options, window: filter.slice(1, 3) });
  mustFit(operator, outer[3] === outChannels && (operator.form === "dense" || filter[0] === 1));
  const before = [0, 1].map((axis) => {
    const reach = (outer[1 + axis] - 1) * stride[axis] + (filter[1 + axis] - 1) * dilation[axis] + 1;
    const same = padding === "same" ? Math.floor(Math.max(0, reach - size[axis]) / 2) : 0;
    return same + (builder.padding(operator.inputs[0])?.[axis] ?? 0);
  });
  return {
    input: [size[0], size[1]],
    output: [outer[1], outer[2]],
    kernel: [filter[1], filter[2]],
    stride,
    dilation,
    before: [before[0], before[1]],
  };
}
