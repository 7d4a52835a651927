/** Functions of a number, as layers and as the activation of other layers. */
import { Config, isJson, type Json } from "../config.ts";
import { refuseLayer } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import { axisOf, type Layer, type Mapper, ofOne, weightOf } from "./layer.ts";

type RealFunction = (network: Network, x: Value, keras: Layer["keras"]) => Value;

/** The slope of a leaky ReLU that is named without one. */
const DEFAULT_SLOPE = 0.2;
/** From the paper of Klambauer et al., as Keras has them. */
const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };

const operator =
  (op: string, options?: unknown): RealFunction =>
  (network, x) =>
    network.unary(op, x, options);

const softmax = operator("SOFTMAX", { beta: 1 });

/** scale · x, or scale · alpha · (eˣ − 1) where x is negative. */
function elu(network: Network, x: Value, alpha: number, scale: number): Value {
  if (alpha === 1 && scale === 1) return network.unary("ELU", x);
  const negative = network.unary("ELU", network.withConstant("MINIMUM", x, 0));
  const positive = network.unary("RELU", x);
  const scaled = (value: Value, by: number) => (by === 1 ? value : network.withConstant("MUL", value, by));
  return network.binary("ADD", scaled(positive, scale), scaled(negative, scale * alpha));
}

/** ln(1 + eˣ) as max(x, 0) + ln(1 + e^−|x|), which does not overflow. */
function softplus(network: Network, x: Value): Value {
  const power = network.unary("EXP", network.unary("NEG", network.unary("ABS", x)));
  const logarithm = network.unary("LOG", network.withConstant("ADD", power, 1));
  return network.binary("ADD", network.unary("RELU", x), logarithm);
}

const times = (network: Network, x: Value, factor: Value): Value => network.binary("MUL", x, factor);
const swish: RealFunction = (network, x) => times(network, x, network.unary("LOGISTIC", x));

/** Keras 2 and TensorFlow.js clip 0.2 x + 0.5, Keras 3 clips x / 6 + 0.5. */
function hardSigmoid(network: Network, x: Value, keras: Layer["keras"]): Value {
  if (keras === 3) {
    const clipped = network.unary("RELU6", network.withConstant("ADD", x, 3));
    return network.withConstant("MUL", clipped, 1 / 6);
  }
  const line = network.withConstant("ADD", network.withConstant("MUL", x, 0.2), 0.5);
  return network.withConstant("MINIMUM", network.unary("RELU", line), 1);
}

/** By the names that Keras and TensorFlow.js give them. */
const FUNCTIONS: Readonly<Record<string, RealFunction>> = {
  linear: (_, x) => x,
  relu: operator("RELU"),
  relu6: operator("RELU6"),
  sigmoid: operator("LOGISTIC"),
  tanh: operator("TANH"),
  softmax,
  log_softmax: operator("LOG_SOFTMAX"),
  exponential: operator("EXP"),
  swish,
  silu: swish,
  hard_sigmoid: hardSigmoid,
  hard_swish: operator("HARD_SWISH"),
  hard_silu: operator("HARD_SWISH"),
  hard_tanh: operator("RELU_N1_TO_1"),
  leaky_relu: operator("LEAKY_RELU", { alpha: DEFAULT_SLOPE }),
  elu: (network, x) => elu(network, x, 1, 1),
  selu: (network, x) => elu(network, x, SELU.alpha, SELU.scale),
  gelu: operator("GELU", { approximate: false }),
  gelu_new: operator("GELU", { approximate: true }),
  softplus,
  log_sigmoid: (network, x) => network.unary("NEG", softplus(network, network.unary("NEG", x))),
  mish: (network, x) => times(network, x, network.unary("TANH", softplus(network, x))),
  softsign: (network, x) => network.binary("DIV", x, network.withConstant("ADD", network.unary("ABS", x), 1)),
};

/** The layers that are functions with parameters. */
const LAYERS: Readonly<Record<string, Mapper>> = {
  ReLU: ofOne(relu),
  LeakyReLU: ofOne((network, { config }, x) => {
    const alpha = config.has("negative_slope") ? config.number("negative_slope") : config.number("alpha", 0.3);
    return network.unary("LEAKY_RELU", x, { alpha });
  }),
  ELU: ofOne((network, { config }, x) => elu(network, x, config.number("alpha", 1), 1)),
  PReLU: ofOne(prelu),
  Softmax: ofOne((network, layer, x) => {
    const axis = axisOf(layer, "axis", -1, x.shape.length);
    if (axis !== x.shape.length - 1) refuseLayer(layer, "is not along the last axis");
    return softmax(network, x, layer.keras);
  }),
  Activation: ofOne((network, layer, x) => activate(network, layer, x)),
};

function relu(network: Network, layer: Layer, x: Value): Value {
  const { config } = layer;
  const slope = config.number("negative_slope", 0);
  if (config.number("threshold", 0) !== 0) return refuseLayer(layer, "has a threshold other than 0");
  const most = config.has("max_value") ? config.number("max_value") : undefined;
  if (slope === 0 && most === 6) return network.unary("RELU6", x);
  const bent = slope === 0 ? network.unary("RELU", x) : network.unary("LEAKY_RELU", x, { alpha: slope });
  return most === undefined ? bent : network.withConstant("MINIMUM", bent, most);
}

function prelu(network: Network, layer: Layer, x: Value): Value {
  const shared = layer.config.has("shared_axes") ? layer.config.numbers("shared_axes") : [];
  const rank = x.shape.length;
  const shape = x.shape.slice(1).map((dim, i) => (shared.some((axis) => (axis + rank) % rank === i + 1) ? 1 : dim));
  const slopes = network.constant(weightOf(layer, ["alpha"], 0, shape), shape);
  return network.add("PRELU", [x.tensor, slopes], x.shape);
}

/** The name of a function in any of the forms of Keras: "relu", {"class_name": "function", "config": "relu"}. */
function functionName(value: unknown): string | undefined {
  if (value === undefined || value === null) return "linear";
  if (typeof value === "string") return value;
  if (!isJson(value)) return undefined;
  if (typeof value.config === "string") return value.config;
  return typeof value.class_name === "string" && isFunctionClass(value) ? value.class_name.toLowerCase() : undefined;
}

/** {"class_name": "ReLU6"} without a configuration. */
const isFunctionClass = (value: Json): boolean => !isJson(value.config) || Object.keys(value.config).length === 0;

/** Applies the function that the configuration names as its activation. */
export function activate(network: Network, layer: Layer, x: Value): Value {
  const value = layer.config.raw("activation");
  const name = functionName(value);
  const known = name !== undefined && Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (known !== undefined) return known(network, x, layer.keras);
  // A layer as an activation.
  if (isJson(value) && typeof value.class_name === "string") {
    const mapper = Object.hasOwn(LAYERS, value.class_name) ? LAYERS[value.class_name] : undefined;
    const config = new Config(isJson(value.config) ? value.config : {}, layer.name);
    if (mapper !== undefined && value.class_name !== "Activation") {
      return mapper(network, { ...layer, config, findWeight: () => undefined }, [x]);
    }
  }
  const shown = JSON.stringify(name ?? (isJson(value) ? value.class_name : value) ?? null).slice(0, 60);
  return refuseLayer(layer, `has the activation ${shown}, which is not supported`);
}

/** All functions by name. */
export const FUNCTION_NAMES: readonly string[] = Object.keys(FUNCTIONS);

/** A function of a number by its name. */
export const realFunctionNamed = (name: string): RealFunction | undefined =>
  Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;

/** A function by its name, as an operation of its own. */
export const functionNamed = (name: string): Mapper | undefined => {
  const known = realFunctionNamed(name);
  return known && ofOne((network, { keras }, x) => known(network, x, keras));
};

export const ACTIVATIONS = LAYERS;
