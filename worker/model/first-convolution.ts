/** Infers from the weights of a network's first convolution which range of input it expects. */
import { realValues } from "../inference/constants.ts";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";

export interface FirstConvolution {
  /** The largest absolute weight, as a real number. */
  readonly largest: number;
  /**
   * The standard deviation of the weights over that of Glorot's initialisation, from which Keras starts: about 1 in a
   * network that was trained from there, 3 and more where a batch normalisation was merged into the weights, and far less
   * than 1 where a scale such as 1/255 was.
   */
  readonly relativeScale: number;
  /**
   * The mean of the input values that the bias compensates, if it does: a batch normalisation, which converters merge into
   * the convolution, subtracts the mean of what the convolution gives, and so the mean input times the sum of the weights.
   */
  readonly meanInput: number | undefined;
  /** Whether it has a bias, and enough filters, that would show such a mean unless it is about 0. */
  readonly showsNoMean: boolean;
}

/** With fewer filters, a correlation says little. */
const LEAST_FILTERS = 8;

/**
 * Operators between an input and its convolution that change neither the range of values nor their number of channels.
 */
const PASSED: ReadonlySet<string> = new Set(["TRANSPOSE", "RESHAPE", "PAD", "PADV2", "MIRROR_PAD", "CAST"]);

/** The operator that reads the input, if it is a convolution. */
function find(graph: Graph): Operator | undefined {
  let tensor = graph.inputs[0];
  for (;;) {
    const [reader, ...others] = graph.operators.filter(({ inputs }) => inputs.includes(tensor));
    if (reader === undefined || others.length > 0) return undefined;
    if (reader.op === "CONV_2D" || reader.op === "DEPTHWISE_CONV_2D") return reader;
    if (!PASSED.has(reader.op)) return undefined;
    tensor = reader.outputs[0];
  }
}

/** A constant, or one that the file stores in a shorter type and converts to float32 by an operator. */
function constant(graph: Graph, index: number): Tensor | undefined {
  const tensor = graph.tensors[index];
  if (tensor?.data !== undefined) return tensor;
  const operator = graph.operators.find(({ op, outputs }) => op === "DEQUANTIZE" && outputs[0] === index);
  const source = operator && graph.tensors[operator.inputs[0]];
  return source?.data === undefined ? undefined : source;
}

/** The sum of the weights of each output channel. */
function channelSums({ op }: Operator, weights: Float32Array, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  const run = weights.length / channels;
  // A filter is [output, height, width, input]; a depthwise one is [1, height, width, output].
  for (let i = 0; i < weights.length; i++) {
    sums[op === "CONV_2D" ? Math.floor(i / run) : i % channels] += weights[i];
  }
  return sums;
}

/** The least-squares line y = slope · x + c, and the correlation of x and y. */
function regression(x: Float64Array, y: Float32Array): { slope: number; correlation: number } {
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i] - meanX, y[i] - meanY];
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  return { slope: xx > 0 ? xy / xx : 0, correlation: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0 };
}

/** The standard deviation of weights over that of Glorot's initialisation of a convolution with these channels. */
function relativeScale(weights: Float32Array, { op }: Operator, shape: readonly number[]): number {
  const [outer, height, width, inner] = shape;
  const window = height * width;
  const [into, out] = op === "CONV_2D" ? [window * inner, window * outer] : [window, window * inner];
  const square = weights.reduce((sum, value) => sum + value * value, 0) / weights.length;
  return Math.sqrt(square / (2 / (into + out)));
}

/** @returns Undefined if the network does not begin with a convolution of constant weights. */
export function firstConvolution(graph: Graph): FirstConvolution | undefined {
  const operator = find(graph);
  const filter = operator && constant(graph, operator.inputs[1]);
  if (operator === undefined || filter?.shape.length !== 4) return undefined;
  const weights = realValues(filter);
  const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const filters = (operator.op === "CONV_2D" ? filter.shape[0] : filter.shape.at(-1)) ?? 0;
  const found = { largest, relativeScale: relativeScale(weights, operator, filter.shape) };
  const bias = constant(graph, operator.inputs[2] ?? -1);
  if (bias === undefined || filters < 3) return { ...found, meanInput: undefined, showsNoMean: false };
  const { slope, correlation } = regression(channelSums(operator, weights, filters), realValues(bias));
  const meanInput = correlation < -0.5 ? -slope : undefined;
  const showsNoMean = meanInput === undefined && filters >= LEAST_FILTERS && correlation !== 0;
  return { ...found, meanInput, showsNoMean };
}
