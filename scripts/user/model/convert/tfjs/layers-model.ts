/** TensorFlow.js layers models: model.json with the configuration as in Keras, and weights beside it. */
import { isJson, type Json, jsonOf } from "../config.ts";
import type { KerasModel } from "../keras/convert.ts";
import { modelOfJson } from "../keras/files.ts";
import { NamedWeights } from "../keras/weights.ts";
import { type ReadFile, readWeights } from "./manifest.ts";

/** Whether JSON is a model of TensorFlow.js. */
export const isTfjs = (json: unknown): json is Json =>
  isJson(json) && "modelTopology" in json && "weightsManifest" in json;

/** Whether a model of TensorFlow.js is a graph of operators rather than one of layers. */
export const isGraphModel = ({ format, modelTopology }: Json): boolean =>
  format === "graph-model" || (isJson(modelTopology) && ("node" in modelTopology || "library" in modelTopology));

/**
 * @param json Of model.json.
 * @throws ConversionError with the reason if it cannot be read.
 */
export async function readLayersModel(json: Json, read: ReadFile): Promise<KerasModel> {
  const topology = jsonOf(json.modelTopology, "modelTopology");
  const weights = await readWeights(json.weightsManifest, read);
  // What is converted from Keras has the whole of it one level further down.
  return { model: modelOfJson(topology.model_config ?? topology), weights: new NamedWeights(weights), keras: 2 };
}
