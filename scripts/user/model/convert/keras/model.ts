/**
 * The configuration of a Keras model as a graph of layers, whichever version of Keras wrote it: "Sequential" as a chain, and
 * the calls of functional models in the forms of Keras 2 (lists) and Keras 3 (objects).
 */
import { isJson, type Json, jsonOf, listOf } from "../config.ts";
import { ConversionError } from "../errors.ts";

/** What a call of a layer has made. */
export class Reference {
  constructor(
    readonly layer: string,
    /** Which of the layer's calls. */
    readonly call: number,
    readonly output: number,
  ) {}
}

/** Arguments are references, constants, or lists of both. */
export interface Call {
  readonly args: readonly unknown[];
  readonly kwargs: Json;
}

export interface LayerSpec {
  readonly name: string;
  readonly className: string;
  /** Where Keras 3 has the class; "keras.src.ops.numpy" for an operation. */
  readonly module: string;
  readonly config: Json;
  readonly calls: readonly Call[];
  /** A model within the model. */
  readonly model?: ModelSpec;
}

export interface ModelSpec {
  readonly name: string;
  readonly isSequential: boolean;
  readonly layers: readonly LayerSpec[];
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
}

/** Models in models in models; Teachable Machine has three levels. */
const DEEPEST = 12;
const MOST_LAYERS = 10_000;

const MODELS: ReadonlySet<string> = new Set(["Sequential", "Functional", "Model"]);

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** ["conv", 0, 0], with what may follow left out. */
function listedReference(value: unknown): Reference | undefined {
  if (!Array.isArray(value)) return undefined;
  const [layer, call, output] = value;
  const fits = typeof layer === "string" && Number.isInteger(call) && Number.isInteger(output) && call >= 0;
  return fits ? new Reference(layer, call, output) : undefined;
}

/** Replaces what stands for tensors in the arguments of Keras 3 by references. */
function argumentOf(value: unknown, depth = 0): unknown {
  if (depth > 8) throw new ConversionError("The configuration of the model is nested too deeply.");
  if (Array.isArray(value)) return value.map((element) => argumentOf(element, depth + 1));
  if (!isJson(value)) return value;
  if (value.class_name === "__keras_tensor__") return listedReference(jsonOf(value.config, "a tensor").keras_history);
  if (value.class_name === "__numpy__" || value.class_name === "__tensor__")
    return jsonOf(value.config, "a constant").value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, argumentOf(inner, depth + 1)]));
}

/** A call in the form of Keras 2: [["conv", 0, 0, {…}], …]; an operation takes its other operands by name. */
function listedCall(node: readonly unknown[]): Call {
  const entries = typeof node[0] === "string" ? [node] : node.map((entry) => listOf(entry, "a call"));
  const values = entries.map((entry) => {
    const reference = listedReference(entry);
    // ["_CONSTANT_VALUE", -1, 2.0, {…}]
    return reference ?? (entry[0] === "_CONSTANT_VALUE" ? entry[2] : undefined);
  });
  const given = entries[0]?.[3];
  const kwargs = Object.entries(isJson(given) ? given : {}).map(([key, value]) => [
    key,
    listedReference(value) ?? value,
  ]);
  return { args: values.length === 1 ? values : [values], kwargs: Object.fromEntries(kwargs) };
}

function callOf(node: unknown): Call {
  if (Array.isArray(node)) return listedCall(node);
  const { args, kwargs } = jsonOf(node, "a call");
  const named = argumentOf(kwargs ?? {});
  return { args: argumentOf(listOf(args, "the arguments of a call")) as unknown[], kwargs: isJson(named) ? named : {} };
}

function layerOf(given: unknown, depth: number): LayerSpec {
  const json = jsonOf(given, "a layer");
  const className = text(json.class_name);
  const isModel = MODELS.has(className);
  const config = isJson(json.config) ? json.config : {};
  const name = text(json.name) || text(config.name) || className;
  const nodes = Array.isArray(json.inbound_nodes) ? json.inbound_nodes : [];
  const layer = { name, className, module: text(json.module), config, calls: nodes.map(callOf) };
  return isModel ? { ...layer, model: modelOf(className, json.config, name, depth + 1) } : layer;
}

const referencesOf = (value: unknown): readonly Reference[] => {
  if (isJson(value)) return Object.values(value).flatMap(referencesOf);
  const one = listedReference(value);
  if (one !== undefined) return [one];
  return Array.isArray(value) ? value.flatMap((each) => listedReference(each) ?? []) : [];
};

/** The layers of a Sequential, each called with what the one before it has made. */
function chained(layers: readonly LayerSpec[]): readonly LayerSpec[] {
  let last: Reference | undefined;
  return layers.map((layer) => {
    const calls = layer.className === "InputLayer" || last === undefined ? [] : [{ args: [last], kwargs: {} }];
    last = new Reference(layer.name, 0, 0);
    return { ...layer, calls };
  });
}

/**
 * @param config Of a Sequential or a functional model.
 * @throws ConversionError if it is damaged.
 */
export function modelOf(className: string, config: unknown, name: string, depth = 0): ModelSpec {
  if (depth > DEEPEST) throw new ConversionError("The model has models within models without end.");
  // Before 2.2.3, the configuration of a Sequential was its list of layers.
  const json = Array.isArray(config) ? { layers: config } : jsonOf(config, "its config");
  const given = listOf(json.layers, "its list of layers");
  if (given.length > MOST_LAYERS) throw new ConversionError(`The model has ${given.length} layers.`);
  const layers = given.map((layer) => layerOf(layer, depth));
  const own = text((json as Json).name) || name;
  if (new Set(layers.map((layer) => layer.name)).size < layers.length) {
    throw new ConversionError(`The model "${own}" has several layers of the same name.`);
  }
  if (className === "Sequential") {
    const [first, last] = [layers[0], layers.at(-1)];
    if (first === undefined || last === undefined) throw new ConversionError(`The model "${own}" has no layers.`);
    return {
      name: own,
      isSequential: true,
      layers: chained(layers),
      inputs: [new Reference(first.name, 0, 0)],
      outputs: [new Reference(last.name, 0, 0)],
    };
  }
  const [inputs, outputs] = [referencesOf((json as Json).input_layers), referencesOf((json as Json).output_layers)];
  return { name: own, isSequential: false, layers, inputs, outputs };
}

/** The shape of a layer's input as its configuration states it, without the batch. */
function statedShape({ config }: LayerSpec): readonly unknown[] | undefined {
  const shape = config.batch_shape ?? config.batch_input_shape;
  return Array.isArray(shape) ? shape.slice(1) : undefined;
}

/** The shape of a model's only input without the batch; a dimension that is left open is null. */
export function inputShapeOf({ layers, inputs, isSequential }: ModelSpec): readonly unknown[] | undefined {
  const first = layers.find(({ name }) => name === inputs[0]?.layer);
  if (first === undefined) return undefined;
  return statedShape(first) ?? (isSequential && first.model !== undefined ? inputShapeOf(first.model) : undefined);
}
