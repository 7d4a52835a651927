/**
 * Operations outside of layers, such as x * 2 + y: TFOpLambda of Keras 2 ("math.multiply"), TensorFlowOpLayer of its first
 * versions ("Mul"), and the operations of Keras 3 ("keras.src.ops.numpy", class Multiply).
 */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import { Config, isJson, type Json } from "../config.ts";
import { refuseLayer } from "../errors.ts";
import { functionNamed } from "../layers/activations.ts";
import type { Layer } from "../layers/layer.ts";
import { hasMapper, mapperOf } from "../layers/registry.ts";
import { reduce } from "../layers/window.ts";
import type { Network, Value } from "../network.ts";
import type { LayerSpec } from "./model.ts";

/** An argument of a call: a value, a constant, or a list of both. */
export type Argument = Value | unknown;

export const isValue = (value: Argument): value is Value =>
  typeof value === "object" && value !== null && "tensor" in value && "shape" in value;

/** By the last part of their names in lower case without underscores. */
const BINARY: Readonly<Record<string, string>> = {
  add: "ADD",
  addv2: "ADD",
  biasadd: "ADD",
  subtract: "SUB",
  sub: "SUB",
  multiply: "MUL",
  mul: "MUL",
  truediv: "DIV",
  truedivide: "DIV",
  divide: "DIV",
  realdiv: "DIV",
  maximum: "MAXIMUM",
  minimum: "MINIMUM",
};

const UNARY: Readonly<Record<string, string>> = {
  exp: "EXP",
  abs: "ABS",
  absolute: "ABS",
  negative: "NEG",
  neg: "NEG",
  sqrt: "SQRT",
  rsqrt: "RSQRT",
  log: "LOG",
};

const IDENTITY: ReadonlySet<string> = new Set([
  "cast",
  "castto",
  "identity",
  "stopgradient",
  "converttotensor",
  "ensureshape",
]);

/** "math.reduce_mean", "__operators__.add" and "ReduceMean" as "reducemean". */
const plain = (name: string): string => (name.split(".").at(-1) ?? "").replaceAll("_", "").toLowerCase();

const isFunction = (className: string): boolean => {
  const name = plain(className);
  return Object.hasOwn(UNARY, name) || IDENTITY.has(name) || functionNamed(name) !== undefined;
};

/** The operation's name as it is known to its writer; undefined for a layer. */
export function operationName({ className, module, config, calls }: LayerSpec): string | undefined {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  if (className === "TFOpLambda") return text(config.function);
  if (className === "TensorFlowOpLayer") return text(isJson(config.node_def) ? config.node_def.op : undefined);
  if (/\bops\b/.test(module)) return className;
  // In .h5 files Keras 3 leaves the module out. A layer takes its inputs as a list, an operation one by one.
  const isBinary = Object.hasOwn(BINARY, plain(className)) && calls[0]?.args.length === 2;
  return module === "" && (isBinary || (!hasMapper(className) && isFunction(className))) ? className : undefined;
}

/** A number, or a list with one number for each channel. */
function constant(network: Network, layer: Layer, given: Argument): Value {
  if (isValue(given)) return given;
  const values = [given].flat(8);
  if (values.length > 0 && values.every((value) => typeof value === "number")) {
    const data = Float32Array.from(values as number[]);
    return { tensor: network.constant(data, [data.length]), shape: [data.length] };
  }
  return refuseLayer(layer, `has the operand ${JSON.stringify(given ?? null).slice(0, 60)}`);
}

function mean(network: Network, layer: Layer, x: Value, given: Json): Value {
  const config = new Config(given, layer.name);
  const axes = config.has("axis") ? config.numbers("axis").map((axis) => (axis + x.shape.length) % x.shape.length) : [];
  if (axes.length === 0 || axes.includes(0)) return refuseLayer(layer, "takes the mean of the whole batch");
  const keepDims = config.boolean("keepdims", false);
  const shape = x.shape.flatMap((dim, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [dim]));
  return reduce(network, "MEAN", x, axes, shape);
}

function reshape(network: Network, layer: Layer, x: Value, given: Json): Value {
  const target = new Config(given, layer.name).numbers(given.shape === undefined ? "newshape" : "shape").slice(1);
  const rest = sizeOf(x.shape) / sizeOf(target.filter((dim) => dim !== -1));
  return network.reshape(x, [1, ...target.map((dim) => (dim === -1 ? rest : dim))]);
}

/** Constants of TensorFlowOpLayer by the positions of its operands: {"1": 2.0}. */
function withConstants(args: readonly Argument[], { constants }: Json): readonly Argument[] {
  const all = [...args];
  for (const [position, value] of Object.entries(isJson(constants) ? constants : {}))
    all.splice(Number(position), 0, value);
  return all;
}

/**
 * @param args Values and constants in the order of the operation.
 * @throws ConversionError if the operation has no operator.
 */
export function mapOperation(
  network: Network,
  layer: Layer,
  name: string,
  config: Json,
  args: readonly Argument[],
  kwargs: Json,
): Value {
  const known = plain(name);
  const flat = args.length === 1 && Array.isArray(args[0]) ? (args[0] as Argument[]) : args;
  const operands = withConstants(
    [...flat, ...["y", "x2"].flatMap((key) => (key in kwargs ? [kwargs[key]] : []))],
    config,
  );
  const first = ["x", "x1"].flatMap((key) => (key in kwargs ? [kwargs[key]] : []));
  const all = [...first, ...operands];
  const binary = Object.hasOwn(BINARY, known) ? BINARY[known] : undefined;
  if (binary !== undefined && all.length === 2) {
    const [a, b] = all.map((operand) => constant(network, layer, operand));
    return network.binary(binary, a as Value, b as Value);
  }
  const values = all.filter(isValue);
  const [x] = values;
  if (x === undefined) return refuseLayer(layer, "has no input");
  const options = { ...config, ...kwargs };
  if (known.startsWith("concat")) {
    const axis = typeof options.axis === "number" ? options.axis : all.at(-1);
    return mapperOf({ ...layer, className: "Concatenate" })(
      network,
      { ...layer, config: new Config({ axis }, layer.name) },
      values,
    );
  }
  if (known === "mean" || known === "reducemean") return mean(network, layer, x, options);
  if (known === "reshape") return reshape(network, layer, x, options);
  if (IDENTITY.has(known)) return x;
  const unary = Object.hasOwn(UNARY, known) ? UNARY[known] : undefined;
  if (unary !== undefined) return network.unary(unary, x);
  const named = functionNamed(known) ?? functionNamed(name.split(".").at(-1) ?? "");
  if (named !== undefined) return named(network, layer, [x]);
  return refuseLayer(layer, `computes ${JSON.stringify(name.slice(0, 60))}, which is not supported`);
}
