/**
 * model.json: what stands beside a model.tflite to say how it wants its input, where it is from and what it may be used
 * for; or, if it names a base, what is made of the answers of another model (derived-spec.ts).
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { cropField } from "./crop.ts";
import { PRECISIONS } from "./precision-name.ts";

const perChannel = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

/** The fields that every model.json may have. */
export const COMMON_FIELDS = {
  /** What the model is, in a line. */
  description: z.optional(z.string()),
  /** How an image becomes the input's shape where the request does not say. */
  crop: z.optional(cropField),
  /** In which arithmetic the network is computed where the request does not say; else `exact`, or `quantised` if it is. */
  precision: z.optional(z.enum(PRECISIONS)),
  /** Where the file is from. */
  source: z.optional(z.string()),
  /** SPDX identifier. */
  licence: z.optional(z.string()),
  /** Of model.tflite, in hexadecimal; checked when models are listed, started and deployed. */
  sha256: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits"))),
} as const;

const schema = z.strictObject({
  ...COMMON_FIELDS,
  /** Normalised = (pixel − mean) / std, pixels being 0..255; for each of red, green and blue, or once for all. */
  input: z.optional(z.strictObject({ mean: perChannel, std: perChannel })),
  /** In which order the network takes the colours; `input` is for red, green and blue all the same. */
  order: z.optional(z.enum(["rgb", "bgr"])),
  /** Whether the network ends in probabilities or in logits, which then go through a softmax; else it is seen from its last operator. */
  output: z.optional(z.enum(["probabilities", "logits"])),
  /** Which output has the classes, where the network has several: the tensor's name. */
  outputTensor: z.optional(z.string()),
});

export type ModelSpec = z.infer<typeof schema>;

/**
 * The text of a model.json as JSON.
 *
 * @throws LabelerError of kind model-unusable.
 */
export function parseSpecJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new LabelerError("model-unusable", `model.json is no JSON: ${(error as Error).message}.`, { cause: error });
  }
}

/**
 * Checks the JSON of a model.json.
 *
 * @throws LabelerError of kind model-unusable that names the field and what is expected of it.
 */
export function checkSpec<T extends z.ZodMiniType>(fields: T, json: unknown): z.infer<T> {
  return checkSchema(fields, json, (faults) => new LabelerError("model-unusable", `model.json, ${faults}.`));
}

/**
 * Reads the text of the model.json beside a model.tflite.
 *
 * @throws LabelerError of kind model-unusable that names the field and what is expected of it.
 */
export const parseSpec = (text: string): ModelSpec => checkSpec(schema, parseSpecJson(text));
