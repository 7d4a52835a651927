/** Layers that scale and shift by constants. */
import { refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import { axisOf, type Layer, type Mapper, ofOne, weightOf } from "./layer.ts";
import { reduce } from "./window.ts";

/** x · scale + shift for each channel; a constant that changes nothing is left out. */
export function scaleAndShift(network: Network, x: Value, scale: Float32Array, shift: Float32Array): Value {
  const scaled = scale.every((value) => value === 1) ? x : network.withConstant("MUL", x, scale);
  return shift.every((value) => value === 0) ? scaled : network.withConstant("ADD", scaled, shift);
}

/** The last axis, along which TensorFlow Lite broadcasts. */
function channelsOf(layer: Layer, { shape }: Value, field = "axis"): number {
  const axis = axisOf(layer, field, -1, shape.length);
  if (axis !== shape.length - 1) {
    refuseLayer(
      layer,
      `works along axis ${axis} and not along the last one`,
      'Build the network with "channels_last".',
    );
  }
  return shape[axis] ?? 0;
}

function batchNormalization(network: Network, layer: Layer, x: Value): Value {
  const channels = channelsOf(layer, x);
  const { config } = layer;
  let position = 0;
  const next = (name: string) => weightOf(layer, [name], position++, [channels]);
  const gamma = config.boolean("scale", true) ? next("gamma") : undefined;
  const beta = config.boolean("center", true) ? next("beta") : undefined;
  const [mean, variance] = [next("moving_mean"), next("moving_variance")];
  const epsilon = config.number("epsilon", 1e-3);
  const scale = Float64Array.from(variance, (value, i) => (gamma?.[i] ?? 1) / Math.sqrt(value + epsilon));
  const shift = Float32Array.from(mean, (value, i) => (beta?.[i] ?? 0) - value * (scale[i] ?? 0));
  return scaleAndShift(network, x, Float32Array.from(scale), shift);
}

/** One number for all channels, or one for each. */
function perChannel(layer: Layer, values: readonly number[], channels: number, field: string): Float32Array {
  if (values.length !== 1 && values.length !== channels) {
    refuseLayer(layer, `has ${values.length} numbers as ${field} for ${channels} channels`);
  }
  return Float32Array.from(values);
}

function rescaling(network: Network, layer: Layer, x: Value): Value {
  const channels = x.shape.at(-1) ?? 0;
  const [scale, offset] = [layer.config.numbers("scale", 1), layer.config.numbers("offset", 0)];
  return scaleAndShift(
    network,
    x,
    perChannel(layer, scale, channels, "scale"),
    perChannel(layer, offset, channels, "offset"),
  );
}

/** What Keras adds to a deviation so that it is not 0. */
const LEAST_DEVIATION = 1e-7;

/** (x − mean) / deviation, from the configuration or as learnt by adapt(). */
function normalization(network: Network, layer: Layer, x: Value): Value {
  const { config } = layer;
  const channels = x.shape.at(-1) ?? 0;
  if (config.boolean("invert", false)) return refuseLayer(layer, "is inverted");
  const stated = config.has("mean") && config.has("variance");
  const scalar = !stated && config.raw("axis") === null;
  if (!stated && !scalar) channelsOf(layer, x);
  const learnt = (name: string, position: number) =>
    scalar ? weightOf(layer, [name], position, []) : weightOf(layer, [name], position, [channels]);
  const mean = stated ? perChannel(layer, config.numbers("mean"), channels, "mean") : learnt("mean", 0);
  const variance = stated ? perChannel(layer, config.numbers("variance"), channels, "variance") : learnt("variance", 1);
  const centred = network.withConstant("SUB", x, mean);
  const deviation = variance.map((value) => Math.max(Math.sqrt(value), LEAST_DEVIATION));
  return network.withConstant("DIV", centred, deviation);
}

function layerNormalization(network: Network, layer: Layer, x: Value): Value {
  const channels = channelsOf(layer, x);
  const { config } = layer;
  if (config.boolean("rms_scaling", false)) return refuseLayer(layer, "has rms_scaling");
  const one = [...x.shape.slice(0, -1), 1];
  const meanOf = (value: Value) => reduce(network, "MEAN", value, [x.shape.length - 1], one);
  const centred = network.binary("SUB", x, meanOf(x));
  const variance = meanOf(network.binary("MUL", centred, centred));
  const inverse = network.unary("RSQRT", network.withConstant("ADD", variance, config.number("epsilon", 1e-3)));
  const normal = network.binary("MUL", centred, inverse);
  const scale = config.boolean("scale", true) ? weightOf(layer, ["gamma"], 0, [channels]) : Float32Array.of(1);
  const position = config.boolean("scale", true) ? 1 : 0;
  const shift = config.boolean("center", true) ? weightOf(layer, ["beta"], position, [channels]) : Float32Array.of(0);
  return scaleAndShift(network, normal, scale, shift);
}

/** Of Keras' ConvNeXt: a learnt factor for each channel. */
const layerScale: Mapper = ofOne((network, layer, x) => {
  const channels = x.shape.at(-1) ?? 0;
  return network.withConstant("MUL", x, weightOf(layer, ["gamma", "layer_scale"], 0, [channels]));
});

export const NORMALIZATION: Readonly<Record<string, Mapper>> = {
  BatchNormalization: ofOne(batchNormalization),
  LayerNormalization: ofOne(layerNormalization),
  LayerScale: layerScale,
  Normalization: ofOne(normalization),
  Rescaling: ofOne(rescaling),
};
