/** Windows over images, and layers that take one value of each. */
import type { ConvOptions, PoolOptions } from "../../../../../worker/tflite/options.ts";
import { refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import { imageOf, type Layer, type Mapper, ofOne } from "./layer.ts";

type Window = Pick<ConvOptions, "padding" | "stride"> & { readonly dilation?: readonly [number, number] };

/** Keras' padding is that of TensorFlow Lite under the same names. */
export function windowOf(layer: Layer, stride: readonly [number, number]): Pick<ConvOptions, "padding" | "stride"> {
  const padding = layer.config.string("padding", "valid").toLowerCase();
  if (padding !== "same" && padding !== "valid") return refuseLayer(layer, `has padding "${padding}"`);
  return { padding, stride };
}

/** The shape of an image after windows of a size have moved over it. */
export function windowShape(
  shape: readonly number[],
  size: readonly [number, number],
  { padding, stride, dilation = [1, 1] }: Window,
  channels: number,
): number[] {
  const lengths = [0, 1].map((i) => {
    const length = shape[i + 1] ?? 0;
    const covered = padding === "same" ? 1 : ((size[i] ?? 1) - 1) * (dilation[i] ?? 1) + 1;
    return Math.floor((length - covered) / (stride[i] ?? 1)) + 1;
  });
  return [shape[0] ?? 1, ...lengths, channels];
}

const pool = (op: "AVERAGE_POOL_2D" | "MAX_POOL_2D"): Mapper =>
  ofOne((network, layer, input) => {
    const [, , channels] = imageOf(layer, input);
    const size = layer.config.pair("pool_size", [2, 2]);
    const window = windowOf(layer, layer.config.pair("strides", size));
    const options: PoolOptions = { ...window, size, activation: "NONE" };
    return network.add(op, [input.tensor], windowShape(input.shape, size, window, channels), options);
  });

/** Reduces an image to one value for each channel. */
const global = (op: "MEAN" | "REDUCE_MAX"): Mapper =>
  ofOne((network, layer, input) => {
    const [, , channels] = imageOf(layer, input);
    const keepDims = layer.config.boolean("keepdims", false);
    return reduce(network, op, input, [1, 2], keepDims ? [1, 1, 1, channels] : [1, channels]);
  });

/** Reduces some dimensions of a value; its shape says whether they stay. */
export function reduce(
  network: Network,
  op: "MEAN" | "REDUCE_MAX" | "SUM",
  input: Value,
  axes: readonly number[],
  shape: readonly number[],
): Value {
  const keepDims = shape.length === input.shape.length;
  return network.add(op, [input.tensor, network.integers(axes)], shape, { keepDims });
}

export const POOLING: Readonly<Record<string, Mapper>> = {
  AveragePooling2D: pool("AVERAGE_POOL_2D"),
  MaxPooling2D: pool("MAX_POOL_2D"),
  GlobalAveragePooling2D: global("MEAN"),
  GlobalMaxPooling2D: global("REDUCE_MAX"),
};
