/** The files of Keras: .h5, and .keras, a zip with config.json and model.weights.h5. */
import { jsonOf } from "../config.ts";
import { ConversionError } from "../errors.ts";
import type { KerasModel } from "./convert.ts";
import { type Hdf5Model, readHdf5 } from "./hdf5.ts";
import { modelOf } from "./model.ts";
import { NamedWeights, NumberedWeights } from "./weights.ts";

/** @throws ConversionError if it is not JSON. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConversionError(`${what} is damaged: ${(error as Error).message}.`);
  }
}

const generation = (version: unknown): 2 | 3 => (String(version).startsWith("3") ? 3 : 2);

/** @param config {"class_name": "Functional", "config": {…}}. @throws ConversionError for a class of the user's own. */
export function modelOfJson(config: unknown) {
  const json = jsonOf(config, "the model");
  const { class_name: className } = json;
  if (className !== "Sequential" && className !== "Functional" && className !== "Model") {
    throw new ConversionError(
      `The model is of the class ${JSON.stringify(className ?? null).slice(0, 60)}, whose layers only its Python code knows: build it ` +
        "as a Sequential or functional model, or convert it in Python with tf.lite.TFLiteConverter.from_keras_model(model).",
    );
  }
  return modelOf(className, json.config, "the model");
}

const WEIGHTS = "model_weights/";

/** A model whose configuration is in the HDF5 file. @throws ConversionError with the reason if it cannot be read. */
export function kerasOfHdf5({ config, version, weights, groups }: Hdf5Model): KerasModel {
  if (config === undefined) {
    throw new ConversionError(
      "The HDF5 file has weights without a model: Keras' save_weights() writes such files. Build the model in Keras, load the " +
        'weights, and save the whole with model.save("model.keras").',
    );
  }
  const inside = <T>(entries: Iterable<readonly [string, T]>): (readonly [string, T])[] =>
    [...entries].flatMap(([path, value]) => {
      return path.startsWith(WEIGHTS) ? [[path.slice(WEIGHTS.length), value] as const] : [];
    });
  const ordered = inside(groups).map(([layer, names]) => [layer, names.map((name) => `${layer}/${name}`)] as const);
  return {
    model: modelOfJson(parseJson(config, "The configuration of the model")),
    weights: new NamedWeights(new Map(inside(weights)), new Map(ordered)),
    keras: generation(version),
  };
}

/** Reads an .h5 file. @throws ConversionError with the reason if it cannot be read. */
export const readH5 = async (bytes: Uint8Array): Promise<KerasModel> => kerasOfHdf5(await readHdf5(bytes));

/** A model whose configuration lies beside the HDF5 file. @throws ConversionError with the reason if it cannot be read. */
export function kerasOfConfig(config: string, version: unknown, { weights }: Hdf5Model): KerasModel {
  const model = modelOfJson(parseJson(config, "config.json"));
  return { model, weights: new NumberedWeights(weights), keras: generation(version) };
}

/**
 * Reads the parts of a .keras file.
 *
 * @param read Reads its weights.
 * @throws ConversionError with the reason if they cannot be read.
 */
export async function readKeras(
  files: Readonly<Record<string, Uint8Array>>,
  read: (bytes: Uint8Array) => Promise<Hdf5Model> = readHdf5,
): Promise<KerasModel> {
  const { "config.json": config, "model.weights.h5": weights, "metadata.json": metadata } = files;
  if (config === undefined || weights === undefined) {
    throw new ConversionError("The .keras file is incomplete: it has no config.json or no model.weights.h5.");
  }
  const text = (data: Uint8Array) => new TextDecoder().decode(data);
  const { keras_version: version } = metadata
    ? jsonOf(parseJson(text(metadata), "metadata.json"), "metadata.json")
    : { keras_version: "3" };
  return kerasOfConfig(text(config), version, await read(weights));
}
