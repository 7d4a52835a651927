/**
 * TensorFlow.js layers models: model.json with the configuration as in Keras, and a manifest of weights in binary files
 * beside it. Format: tfjs-core/src/io/types.ts, WeightsManifestConfig.
 */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import { isJson, type Json, jsonOf, listOf } from "../config.ts";
import { ConversionError } from "../errors.ts";
import type { KerasModel } from "../keras/convert.ts";
import { modelOfJson } from "../keras/files.ts";
import { NamedWeights } from "../keras/weights.ts";
import type { Weight } from "../layers/layer.ts";
import { typeOf } from "./weight-types.ts";

/** Reads a file beside model.json. @returns Undefined if there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

/** Whether JSON is a model of TensorFlow.js. */
export const isTfjs = (json: unknown): json is Json =>
  isJson(json) && "modelTopology" in json && "weightsManifest" in json;

/** A path that stays in the folder of model.json. */
const isBeside = (path: string): boolean => /^[^/\\:][^\\:]*$/.test(path) && !path.split("/").includes("..");

async function shard(path: unknown, read: ReadFile): Promise<Uint8Array> {
  if (typeof path !== "string" || !isBeside(path)) {
    throw new ConversionError(
      `model.json names the file ${JSON.stringify(path ?? null).slice(0, 80)}, which is not beside it.`,
    );
  }
  const bytes = await read(path);
  if (bytes !== undefined) return bytes;
  throw new ConversionError(`${path} is missing, in which model.json has its weights: put it beside model.json.`);
}

const shapeOf = (value: unknown): readonly number[] => {
  const shape = listOf(value, "the shape of a weight");
  if (shape.every((dim): dim is number => Number.isSafeInteger(dim) && (dim as number) >= 0)) return shape;
  throw new ConversionError("The manifest of model.json has a weight whose shape is not one.");
};

/** The weights of a group, whose files hold one behind the other. */
async function readGroup(group: unknown, read: ReadFile): Promise<readonly (readonly [string, Weight])[]> {
  const { paths, weights } = jsonOf(group, "a group of weights");
  const parts: Uint8Array[] = [];
  for (const path of listOf(paths, "the files of a group")) parts.push(await shard(path, read));
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : new Uint8Array(Buffer.concat(parts));
  let offset = 0;
  return listOf(weights, "the weights of a group").map((given) => {
    const entry = jsonOf(given, "a weight");
    const shape = shapeOf(entry.shape);
    const { bytesEach, read: values } = typeOf(entry);
    const length = sizeOf(shape);
    const [begin, end] = [offset, offset + length * bytesEach];
    if (!(end <= bytes.length)) {
      throw new ConversionError(
        `The weights end within "${String(entry.name ?? "").slice(0, 80)}": ${bytes.length} bytes are there. Download the files of the ` +
          "model again.",
      );
    }
    offset = end;
    return [String(entry.name ?? ""), { shape, values: () => values(bytes.subarray(begin, end)) }] as const;
  });
}

/**
 * @param json Of model.json.
 * @throws ConversionError with the reason if it cannot be read.
 */
export async function readLayersModel(json: Json, read: ReadFile): Promise<KerasModel> {
  const topology = jsonOf(json.modelTopology, "modelTopology");
  if (json.format === "graph-model" || "node" in topology || "library" in topology) {
    throw new ConversionError(
      "This is a graph model of TensorFlow.js, of which only the operators are left. Convert the Keras model or the SavedModel " +
        "that it was made of; layers models (tf.LayersModel) can be added as they are.",
    );
  }
  const weights = new Map<string, Weight>();
  for (const group of listOf(json.weightsManifest, "weightsManifest")) {
    for (const [name, weight] of await readGroup(group, read)) weights.set(name, weight);
  }
  // What is converted from Keras has the whole of it one level further down.
  return { model: modelOfJson(topology.model_config ?? topology), weights: new NamedWeights(weights), keras: 2 };
}
