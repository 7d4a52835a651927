/** Layers that multiply by trained weights. */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import type { ConvOptions } from "../../../../../worker/tflite/options.ts";
import { refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import { activate } from "./activations.ts";
import { imageOf, type Layer, type Mapper, ofOne, weightOf } from "./layer.ts";
import { windowOf, windowShape } from "./window.ts";

/** Transposes [rows, columns]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) transposed[column * rows + row] = values[row * columns + column];
  }
  return transposed;
}

const bias = (network: Network, layer: Layer, filters: number, position: number): number =>
  layer.config.boolean("use_bias", true)
    ? network.constant(weightOf(layer, ["bias"], position, [filters]), [filters])
    : network.constant(new Float32Array(filters), [filters]);

function convolutionOptions(layer: Layer): ConvOptions {
  const { config } = layer;
  const { padding, stride } = windowOf(layer, config.pair("strides", [1, 1]));
  return { padding, stride, dilation: config.pair("dilation_rate", [1, 1]), activation: "NONE" };
}

export interface Kernel {
  readonly values: Float32Array;
  /** [height, width, channels of a group, filters], as Keras and TensorFlow order it. */
  readonly shape: readonly number[];
}

function dense(network: Network, input: Value, kernel: Kernel, biases: number, options: ConvOptions): Value {
  const [height = 1, width = 1, own = 1, filters = 1] = kernel.shape;
  const transposed = transpose(kernel.values, height * width * own, filters);
  const filter = network.constant(transposed, [filters, height, width, own]);
  const shape = windowShape(input.shape, [height, width], options, filters);
  return network.add("CONV_2D", [input.tensor, filter, biases], shape, options);
}

function conv2d(network: Network, layer: Layer, input: Value): Value {
  const { config } = layer;
  const [, , channels] = imageOf(layer, input);
  const [height, width] = config.pair("kernel_size");
  const [filters, groups] = [config.size("filters"), config.size("groups", 1)];
  if (channels % groups !== 0 || filters % groups !== 0) {
    return refuseLayer(layer, `has ${groups} groups for ${channels} channels and ${filters} filters`);
  }
  const shape = [height, width, channels / groups, filters];
  const values = weightOf(layer, ["kernel"], 0, shape);
  const biases = bias(network, layer, filters, 1);
  return activate(network, layer, convolve(network, input, { values, shape }, biases, convolutionOptions(layer)));
}

/**
 * A convolution, in as many groups as the kernel's channels go into those of the input.
 *
 * @param biases The tensor [filters].
 */
export function convolve(network: Network, input: Value, kernel: Kernel, biases: number, options: ConvOptions): Value {
  const channels = input.shape.at(-1) ?? 1;
  // A group for each channel, as in ConvNeXt.
  const isDepthwise = kernel.shape[2] === 1 && channels > 1;
  return (isDepthwise ? eachChannel : dense)(network, input, kernel, biases, options);
}

/** @param kernel [height, width, 1, filters]: the filters of the first channel, of the second one, and so on. */
export function eachChannel(
  network: Network,
  input: Value,
  kernel: Kernel,
  biases: number,
  options: ConvOptions,
): Value {
  const [height = 1, width = 1, , filters = 1] = kernel.shape;
  const filter = network.constant(kernel.values, [1, height, width, filters]);
  const shape = windowShape(input.shape, [height, width], options, filters);
  return network.add("DEPTHWISE_CONV_2D", [input.tensor, filter, biases], shape, options);
}

/** A convolution of each channel. */
function depthwise(network: Network, layer: Layer, input: Value, biases: (filters: number) => number): Value {
  const { config } = layer;
  const [, , channels] = imageOf(layer, input);
  const [height, width] = config.pair("kernel_size");
  const multiplier = config.size("depth_multiplier", 1);
  const filters = channels * multiplier;
  const values = weightOf(layer, ["depthwise_kernel", "kernel"], 0, [height, width, channels, multiplier]);
  const shape = [height, width, 1, filters];
  return eachChannel(network, input, { values, shape }, biases(filters), convolutionOptions(layer));
}

function separable(network: Network, layer: Layer, input: Value): Value {
  const filters = layer.config.size("filters");
  const middle = depthwise(network, layer, input, (count) => network.constant(new Float32Array(count), [count]));
  const shape = [1, 1, middle.shape[3] ?? 0, filters];
  const values = weightOf(layer, ["pointwise_kernel"], 1, shape);
  const options: ConvOptions = { padding: "valid", stride: [1, 1], dilation: [1, 1], activation: "NONE" };
  return activate(network, layer, dense(network, middle, { values, shape }, bias(network, layer, filters, 2), options));
}

/**
 * @param weights [units, inputs].
 * @param biases The tensor [units].
 */
export function multiply(network: Network, input: Value, weights: Float32Array, biases: number): Value {
  const inputs = input.shape.at(-1) ?? 0;
  const [rows, units] = [sizeOf(input.shape) / inputs, weights.length / inputs];
  const flat = network.reshape(input, [rows, inputs]);
  const operands = [flat.tensor, network.constant(weights, [units, inputs]), biases];
  const output = network.add("FULLY_CONNECTED", operands, [rows, units], { activation: "NONE" });
  return network.reshape(output, [...input.shape.slice(0, -1), units]);
}

function fullyConnected(network: Network, layer: Layer, input: Value): Value {
  const units = layer.config.size("units");
  const inputs = input.shape.at(-1) ?? 0;
  const weights = transpose(weightOf(layer, ["kernel"], 0, [inputs, units]), inputs, units);
  return activate(network, layer, multiply(network, input, weights, bias(network, layer, units, 1)));
}

export const WEIGHTED: Readonly<Record<string, Mapper>> = {
  Conv2D: ofOne(conv2d),
  DepthwiseConv2D: ofOne((network, layer, input) =>
    activate(
      network,
      layer,
      depthwise(network, layer, input, (filters) => bias(network, layer, filters, 1)),
    ),
  ),
  SeparableConv2D: ofOne(separable),
  Dense: ofOne(fullyConnected),
};
