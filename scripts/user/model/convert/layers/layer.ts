/** A layer that is being mapped to operators, and what the mappers of all kinds have in common. */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import type { Config } from "../config.ts";
import { ConversionError, refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";

/** A trained constant as a file has it. */
export interface Weight {
  readonly shape: readonly number[];
  readonly values: () => Float32Array;
}

export interface Layer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  /** The version of Keras that defines the layer: some functions have changed. TensorFlow.js is like 2. */
  readonly keras: 2 | 3;
  /**
   * @param names Under which it may be stored, such as "kernel".
   * @param position Among the layer's weights in the order in which it creates them.
   */
  readonly findWeight: (names: readonly string[], position: number) => Weight | undefined;
}

/** Writes a layer as operators. @throws ConversionError that names the layer and the reason if it cannot. */
export type Mapper = (network: Network, layer: Layer, inputs: readonly Value[]) => Value;

/** A mapper of a layer with one input. */
export const ofOne =
  (map: (network: Network, layer: Layer, input: Value) => Value): Mapper =>
  (network, layer, inputs) => {
    const [input, ...others] = inputs;
    if (input === undefined || others.length > 0) return refuseLayer(layer, `has ${inputs.length} inputs, not one`);
    return map(network, layer, input);
  };

export const isIdentity: Mapper = ofOne((_, __, input) => input);

/**
 * A weight of a layer.
 *
 * @param shape That it must have, in the order of Keras.
 * @throws ConversionError if it is missing or has another shape.
 */
export function weightOf(
  layer: Layer,
  names: readonly string[],
  position: number,
  shape: readonly number[],
): Float32Array {
  const found = layer.findWeight(names, position);
  const what = `The weight "${names[0]}" of the layer "${layer.name}" (${layer.className})`;
  if (found === undefined) throw new ConversionError(`${what} is not in the file. Save or export the model again.`);
  if (found.shape.join() !== shape.join()) {
    throw new ConversionError(`${what} has shape [${found.shape}], where its configuration asks for [${shape}].`);
  }
  const values = found.values();
  if (values.length !== sizeOf(shape)) throw new ConversionError(`${what} is cut short.`);
  return values;
}

/** Images as [1, height, width, channels]. @throws ConversionError for other values, or channels in front. */
export function imageOf(layer: Layer, { shape }: Value): readonly [height: number, width: number, channels: number] {
  requireChannelsLast(layer);
  const [, height, width, channels, ...more] = shape;
  if (channels === undefined || more.length > 0) {
    return refuseLayer(layer, `has an input of shape [${shape}], where an image is expected`);
  }
  return [height ?? 0, width ?? 0, channels];
}

export function requireChannelsLast(layer: Layer): void {
  if (layer.config.string("data_format", "channels_last") === "channels_first") {
    refuseLayer(
      layer,
      'has data_format "channels_first"',
      'Build the network with "channels_last"; the trained weights fit it as they are.',
    );
  }
}

/** The axis of a configuration, counted from the front. */
export function axisOf(layer: Layer, field: string, absent: number, rank: number): number {
  const [axis = absent, ...others] = layer.config.numbers(field, absent);
  const positive = axis < 0 ? axis + rank : axis;
  if (others.length > 0 || !Number.isInteger(positive) || positive < 1 || positive >= rank) {
    return refuseLayer(layer, `works along axis ${[axis, ...others].join(", ")} of ${rank} dimensions`);
  }
  return positive;
}
