/**
 * model.json: describes a model.tflite beside it: its input, its origin and its licence; or, if it names a base, how
 * the scores of another model are used (derived-spec.ts).
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { cropField } from "./crop.ts";
import { whyNotClassName } from "./names.ts";
import { PRECISIONS } from "./precision-name.ts";

const perChannel = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

/** A confidence, 0..1. */
export const part = z.number().check(z.gte(0, "must be between 0 and 1"), z.lte(1, "must be between 0 and 1"));

export const className = z.string().check((payload) => {
  const message = whyNotClassName(payload.value);
  if (message !== undefined) payload.issues.push({ code: "custom", message, input: payload.value });
});

/** The fields that every model.json may have. */
export const COMMON_FIELDS = {
  /** A description of the model in one line. */
  description: z.optional(z.string()),
  /** The default crop, for requests that do not name one. */
  crop: z.optional(cropField),
  /** The default precision, for requests that do not name one; else `exact`, or `quantised` for a quantised network. */
  precision: z.optional(z.enum(PRECISIONS)),
  /** The minimum confidence: of all labels, or by label. A request can only raise it. */
  min: z.optional(z.union([part, z.record(className, part)])),
  /** The origin of the file. */
  source: z.optional(z.string()),
  /** The SPDX identifier of the licence. */
  licence: z.optional(z.string()),
  /** The SHA-256 of model.tflite, in hexadecimal; checked when models are listed, started and deployed. */
  sha256: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits"))),
} as const;

/** What the scores of a network may be. */
const OUTPUTS = ["probabilities", "logits", "multi-label-logits"] as const;
export type Output = (typeof OUTPUTS)[number];

const schema = z.strictObject({
  ...COMMON_FIELDS,
  /**
   * Normalised = (pixel − mean) / std, pixels being 0..255; for each of red, green and blue, or once for all. `guessed` marks
   * a range that a program has found plausible, and nobody has confirmed.
   */
  input: z.optional(z.strictObject({ mean: perChannel, std: perChannel, guessed: z.optional(z.boolean()) })),
  /** The order in which the network takes the colours; `input` is always in the order red, green, blue. */
  order: z.optional(z.enum(["rgb", "bgr"])),
  /**
   * Whether the network ends in probabilities, in logits, to which softmax is applied, or in those of a multi-label network,
   * to each of which a sigmoid is applied; if absent, its last operator decides between the first two.
   */
  output: z.optional(z.enum(OUTPUTS)),
  /** The name of the output tensor with the classes, if the network has several outputs. */
  outputTensor: z.optional(z.string()),
});

export type ModelSpec = z.infer<typeof schema>;

/**
 * Parses the text of a model.json as JSON.
 *
 * @throws LabelerError of kind model-unusable.
 */
export function parseSpecJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new LabelerError("model-unusable", `model.json is not JSON: ${(error as Error).message}.`, { cause: error });
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
