/** Converts the models of Keras and TensorFlow.js to TensorFlow Lite. */

import type { Json } from "./config.ts";
import { convertKeras, type KerasModel } from "./keras/convert.ts";
import { parseJson, readH5, readKeras } from "./keras/files.ts";
import { isTeachableMetadata, isTeachableModel, TEACHABLE_INPUT } from "./teachable-machine.ts";
import { type ReadFile, readLayersModel } from "./tfjs/layers-model.ts";
import { writeTflite } from "./tflite/write.ts";

export interface Converted {
  readonly tflite: Uint8Array<ArrayBuffer>;
  /** The text of a model.json that states what the network does not show; undefined if there is nothing to state. */
  readonly spec: string | undefined;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

function converted(model: KerasModel, format: string, isTeachable: boolean): Converted {
  const graph = convertKeras(model);
  const spec = isTeachable ? `${JSON.stringify({ input: TEACHABLE_INPUT, source: "Teachable Machine" })}\n` : undefined;
  const from = isTeachable ? `the ${format} that Teachable Machine exports` : format;
  return {
    tflite: writeTflite(graph, `Converted from ${format}`),
    spec,
    notes: [`It was converted from ${from}: ${graph.operators.length} operators.`],
  };
}

/** @throws ConversionError with the reason if it cannot be converted. */
export async function convertH5(bytes: Uint8Array): Promise<Converted> {
  const model = await readH5(bytes);
  return converted(model, "Keras (HDF5)", isTeachableModel(model.model));
}

/** @param files Of the archive, by name. @throws ConversionError with the reason if it cannot be converted. */
export async function convertKerasArchive(files: Readonly<Record<string, Uint8Array>>): Promise<Converted> {
  const model = await readKeras(files);
  return converted(model, "Keras (.keras)", isTeachableModel(model.model));
}

/**
 * @param json Of model.json.
 * @param read Reads a file beside it: the weights, and metadata.json of Teachable Machine.
 * @throws ConversionError with the reason if it cannot be converted.
 */
export async function convertTfjs(json: Json, read: ReadFile): Promise<Converted> {
  const metadata = await read("metadata.json");
  const stated = metadata === undefined ? undefined : parseJson(new TextDecoder().decode(metadata), "metadata.json");
  const model = await readLayersModel(json, read);
  return converted(model, "TensorFlow.js layers", isTeachableMetadata(stated) || isTeachableModel(model.model));
}
