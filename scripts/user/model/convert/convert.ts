/** Converts the models of Keras and TensorFlow.js to TensorFlow Lite. */
import type { Graph } from "../../../../worker/tflite/graph.ts";
import { AUTO_ML, hasAutoMlInput } from "./auto-ml.ts";
import type { Json } from "./config.ts";
import { convertGraph, type GraphModel, readGraphModel } from "./graph/convert.ts";
import { convertKeras, type KerasModel } from "./keras/convert.ts";
import { parseJson, readH5, readKeras } from "./keras/files.ts";
import { isTeachableMetadata, isTeachableModel, TEACHABLE_INPUT } from "./teachable-machine.ts";
import { isGraphModel, readLayersModel } from "./tfjs/layers-model.ts";
import { type ReadFile, readWeights } from "./tfjs/manifest.ts";
import { writeTflite } from "./tflite/write.ts";

export interface Converted {
  readonly tflite: Uint8Array<ArrayBuffer>;
  /** The text of a model.json that states what the network does not show; undefined if there is nothing to state. */
  readonly spec: string | undefined;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** What is known of a model beside what its network shows. */
interface Origin {
  /** The tool that wrote it. */
  readonly source?: string;
  /** Of model.json. */
  readonly spec: object;
}

const TEACHABLE_MACHINE: Origin = { source: "Teachable Machine", spec: { input: TEACHABLE_INPUT } };

function converted(graph: Graph, format: string, origin: Origin | undefined): Converted {
  const spec = origin && `${JSON.stringify({ ...origin.spec, source: origin.source })}\n`;
  const from = origin?.source === undefined ? format : `the ${format} that ${origin.source} exports`;
  return {
    tflite: writeTflite(graph, `Converted from ${format}`),
    spec,
    notes: [`It was converted from ${from}: ${graph.operators.length} operators.`],
  };
}

const convertedKeras = (model: KerasModel, format: string, isTeachable = isTeachableModel(model.model)): Converted =>
  converted(convertKeras(model), format, isTeachable ? TEACHABLE_MACHINE : undefined);

/** @throws ConversionError with the reason if it cannot be converted. */
export async function convertH5(bytes: Uint8Array): Promise<Converted> {
  return convertedKeras(await readH5(bytes), "Keras (HDF5)");
}

/** @param files Of the archive, by name. @throws ConversionError with the reason if it cannot be converted. */
export async function convertKerasArchive(files: Readonly<Record<string, Uint8Array>>): Promise<Converted> {
  return convertedKeras(await readKeras(files), "Keras (.keras)");
}

/**
 * @param json Of model.json.
 * @param read Reads a file beside it: the weights, metadata.json of Teachable Machine, and dict.txt of AutoML.
 * @throws ConversionError with the reason if it cannot be converted.
 */
export async function convertTfjs(json: Json, read: ReadFile): Promise<Converted> {
  const metadata = await read("metadata.json");
  const stated = metadata === undefined ? undefined : parseJson(new TextDecoder().decode(metadata), "metadata.json");
  const isTeachable = isTeachableMetadata(stated);
  if (!isGraphModel(json)) {
    const model = await readLayersModel(json, read);
    return convertedKeras(model, "TensorFlow.js layers", isTeachable || isTeachableModel(model.model));
  }
  const model = readGraphModel(json, await readWeights(json.weightsManifest, read));
  const graph = convertGraph(model);
  if (isTeachable) return converted(graph, "TensorFlow.js graph", TEACHABLE_MACHINE);
  const isAutoMl = hasAutoMlInput(model) && (await read("dict.txt")) !== undefined;
  return converted(graph, "TensorFlow.js graph", isAutoMl ? AUTO_ML : ofIntegers(model));
}

/** A graph that takes whole numbers takes the pixels themselves. */
const ofIntegers = ({ signature: { input } }: GraphModel): Origin | undefined =>
  /^DT_U?INT/.test(input.type) ? { spec: { input: { mean: 0, std: 1 } } } : undefined;
