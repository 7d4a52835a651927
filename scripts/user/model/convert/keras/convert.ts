/** Writes a Keras model as a graph of TensorFlow Lite: calls its layers in order, each of which adds its operators. */
import type { Graph } from "../../../../../worker/tflite/graph.ts";
import { Config } from "../config.ts";
import { ConversionError, refuseLayer } from "../errors.ts";
import type { Layer, Weight } from "../layers/layer.ts";
import { mapperOf } from "../layers/registry.ts";
import { mergeOperators } from "../merge.ts";
import { Network, type Value } from "../network.ts";
import { inputShapeOf, type LayerSpec, type ModelSpec, Reference } from "./model.ts";
import { containerNames } from "./names.ts";
import { type Argument, isValue, mapOperation, operationName } from "./operations.ts";

/** Where a layer is. */
export interface LayerPath {
  /** The names of the models that it is in, the outermost first, and its own. */
  readonly names: readonly string[];
  /** Its folder in a .keras file: "layers/functional/layers/conv2d_1". */
  readonly folder: string;
}

export interface WeightStore {
  /**
   * @param names Under which the weight may be stored.
   * @param position Among the layer's weights.
   */
  find(path: LayerPath, names: readonly string[], position: number): Weight | undefined;
}

export interface KerasModel {
  readonly model: ModelSpec;
  readonly weights: WeightStore;
  readonly keras: Layer["keras"];
}

/** Calls of layers, those of shared models counted each time. */
const MOST_CALLS = 100_000;

class Converter {
  readonly network = new Network();
  readonly #given: KerasModel;
  #calls = 0;

  constructor(given: KerasModel) {
    this.#given = given;
  }

  /** Calls a model. @returns Its outputs. */
  run(model: ModelSpec, inputs: readonly Value[], outer: LayerPath): readonly Value[] {
    const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
    const folders = containerNames(model.layers);
    const made = new Map<string, readonly Value[]>();
    const keyOf = ({ layer, call }: Reference) => `${call} ${layer}`;
    for (const [i, reference] of model.inputs.entries()) {
      const layer = layers.get(reference.layer);
      // The first layer of a Sequential may do without an InputLayer.
      if (layer !== undefined && layer.className !== "InputLayer" && model.isSequential) {
        const path = this.#pathOf(outer, layer, folders);
        made.set(keyOf(reference), this.#call(layer, { args: inputs, kwargs: {} }, path));
      } else made.set(keyOf(reference), inputs.slice(i, i + 1));
    }
    const callOf = ({ layer: name, call }: Reference) => {
      const layer = layers.get(name);
      // Some writers count calls outside of the model, too.
      const found = layer?.calls[call] ?? (layer?.calls.length === 1 ? layer.calls[0] : undefined);
      if (layer === undefined || found === undefined) {
        throw new ConversionError(`The model "${model.name}" has no layer "${name}" that is called ${call + 1} times.`);
      }
      return { layer, call: found };
    };
    const open = new Set<string>();
    // Depth first without recursion, since networks are hundreds of layers deep.
    const pending = model.outputs.toReversed();
    for (let reference = pending.at(-1); reference !== undefined; reference = pending.at(-1)) {
      const key = keyOf(reference);
      if (made.has(key)) {
        pending.pop();
        continue;
      }
      const { layer, call } = callOf(reference);
      const missing = referencesIn([call.args, Object.values(call.kwargs)]).filter((each) => !made.has(keyOf(each)));
      if (missing.length > 0) {
        if (open.has(key)) throw new ConversionError(`The layer "${layer.name}" needs its own output.`);
        open.add(key);
        pending.push(...missing);
        continue;
      }
      const madeOf = (argument: unknown): Argument => {
        if (argument instanceof Reference) return outputOf(made.get(keyOf(argument)), argument);
        return Array.isArray(argument) ? argument.map(madeOf) : argument;
      };
      const kwargs = Object.fromEntries(Object.entries(call.kwargs).map(([name, value]) => [name, madeOf(value)]));
      const args = call.args.map(madeOf);
      made.set(key, this.#call(layer, { args, kwargs }, this.#pathOf(outer, layer, folders)));
      pending.pop();
    }
    return model.outputs.map((reference) => outputOf(made.get(keyOf(reference)), reference));
  }

  #pathOf({ names, folder }: LayerPath, { name }: LayerSpec, folders: ReadonlyMap<string, string>): LayerPath {
    return { names: [...names, name], folder: `${folder}layers/${folders.get(name)}/` };
  }

  #call(
    spec: LayerSpec,
    { args, kwargs }: { readonly args: readonly Argument[]; readonly kwargs: Readonly<Record<string, Argument>> },
    path: LayerPath,
  ): readonly Value[] {
    if (++this.#calls > MOST_CALLS) throw new ConversionError("The network calls its layers too often.");
    const values = args.flat(2).filter(isValue);
    if (spec.model !== undefined) return this.run(spec.model, values, path);
    const { network } = this;
    network.scope = spec.name;
    const layer: Layer = {
      name: spec.name,
      className: spec.className,
      config: new Config(spec.config, spec.name),
      keras: this.#given.keras,
      findWeight: (names, position) => this.#given.weights.find(path, names, position),
    };
    const operation = operationName(spec);
    if (operation !== undefined) return [mapOperation(network, layer, operation, spec.config, args, kwargs)];
    if (spec.className === "InputLayer") return refuseLayer(layer, "is an input in the middle of the network");
    const more = Object.values(kwargs).flat().filter(isValue);
    return [mapperOf(layer)(network, layer, [...values, ...more])];
  }
}

/** All references in arguments. */
function referencesIn(value: unknown): readonly Reference[] {
  if (value instanceof Reference) return [value];
  return Array.isArray(value) ? value.flatMap(referencesIn) : [];
}

function outputOf(values: readonly Value[] | undefined, { layer, output }: Reference): Value {
  const value = values?.[output];
  if (value !== undefined) return value;
  throw new ConversionError(`The layer "${layer}" has no output ${output}.`);
}

/** [1, height, width, channels] of the model's input. @throws ConversionError that says what is wrong with it. */
function inputOf(model: ModelSpec): readonly number[] {
  if (model.inputs.length !== 1) {
    const names = model.inputs.map(({ layer }) => `"${layer}"`).join(", ");
    throw new ConversionError(
      `The model has ${model.inputs.length} inputs (${names}); an image classifier has one, the picture.`,
    );
  }
  const shape = inputShapeOf(model);
  const shown = JSON.stringify(shape ?? null);
  if (shape === undefined || shape.length < 2) {
    throw new ConversionError(`The input has shape ${shown}; an image classifier takes [height, width, channels].`);
  }
  const resizing = resizedTo(model);
  const sizes = shape.map((dim, i) => (dim === null && i < 2 ? resizing?.[i] : dim));
  if (sizes.some((dim) => dim === null || dim === undefined)) {
    throw new ConversionError(
      `The input has shape ${shown}, in which the size is open. Build the network with a fixed input size: the weights fit it ` +
        "as they are.",
    );
  }
  if (!sizes.every((dim) => Number.isInteger(dim) && (dim as number) > 0)) {
    throw new ConversionError(`The input has shape ${shown}, which is not one.`);
  }
  return [1, ...(sizes as number[])];
}

/** The size to which the model resizes its input, if it does. */
function resizedTo({ layers }: ModelSpec): readonly unknown[] | undefined {
  for (const { className, config, model } of layers.slice(0, 4)) {
    if (className === "Resizing") return [config.height, config.width];
    const inner = model === undefined ? undefined : resizedTo(model);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** @throws ConversionError that names the layer that cannot be converted, and the reason. */
export function convertKeras(given: KerasModel): Graph {
  const { model } = given;
  const converter = new Converter(given);
  const input = converter.network.input(inputOf(model));
  const outputs = converter.run(model, [input], { names: [], folder: "" });
  const names = model.outputs.map(({ layer }) => layer);
  return mergeOperators(converter.network.finish(input, outputs, names));
}
