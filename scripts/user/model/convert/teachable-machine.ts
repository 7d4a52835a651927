/** What is known of the models of Teachable Machine, beside what their files state. */
import { isJson } from "./config.ts";
import type { LayerSpec, ModelSpec } from "./keras/model.ts";

/** The pixels −1…1, in which it trains: (pixel − 127.5) / 127.5. */
export const TEACHABLE_INPUT = { mean: 127.5, std: 127.5 } as const;

/** Whether metadata.json beside a TensorFlow.js model is that of an image model of Teachable Machine. */
export const isTeachableMetadata = (metadata: unknown): boolean =>
  isJson(metadata) && String(metadata.packageName).startsWith("@teachablemachine/image");

const flat = ({ layers }: ModelSpec): readonly LayerSpec[] =>
  layers.flatMap((layer) => (layer.model === undefined ? [layer] : flat(layer.model)));

/** Whether a model ends in the two layers that Teachable Machine trains, under the names that it gives them. */
export function isTeachableModel(model: ModelSpec): boolean {
  const [hidden, last] = flat(model).filter(({ className }) => className === "Dense");
  return (
    model.isSequential &&
    /^dense_Dense\d+$/.test(hidden?.name ?? "") &&
    /^dense_Dense\d+$/.test(last?.name ?? "") &&
    last?.config.use_bias === false &&
    last.config.activation === "softmax"
  );
}
