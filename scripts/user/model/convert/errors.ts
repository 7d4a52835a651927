/** What cannot be converted, with the layer and the reason. */
import { CommandError } from "../../../command-line/command.ts";

/** The way out that nearly every Keras model has. */
export const IN_PYTHON = "Or convert the model in Python with tf.lite.TFLiteConverter.from_keras_model(model).";

/** A model that cannot be converted, or is damaged. */
export class ConversionError extends CommandError {
  override name = "ConversionError";

  constructor(message: string) {
    super(message, 1);
  }
}

interface Named {
  readonly name: string;
  readonly className: string;
}

/**
 * @param reason What follows after "the layer X": "runs code in Python".
 * @param instead The nearest way to a model that works, as a sentence.
 * @throws ConversionError always.
 */
export function refuseLayer({ name, className }: Named, reason: string, instead = IN_PYTHON): never {
  throw new ConversionError(`The layer "${name}" (${className}) ${reason}. ${instead}`);
}

/** The way out that most graph models have. */
export const FROM_SAVED_MODEL =
  "Or convert the SavedModel that it was made of with tf.lite.TFLiteConverter.from_saved_model(folder).";

/**
 * @param reason What follows after "the node X": "has computed weights".
 * @param instead The nearest way to a model that works, as a sentence.
 * @throws ConversionError always.
 */
export function refuseNode(
  { name, op }: { readonly name: string; readonly op: string },
  reason: string,
  instead = FROM_SAVED_MODEL,
): never {
  throw new ConversionError(`The node "${name}" (${op}) ${reason}. ${instead}`);
}
