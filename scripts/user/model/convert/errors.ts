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
