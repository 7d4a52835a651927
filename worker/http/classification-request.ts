/** The JSON of Hugging Face's image-classification task. */
import * as z from "zod/mini";
import { type JsonLimits, MAX_STRUCTURE } from "../json/json-limits.ts";
import { text } from "../validation/text.ts";

export const CLASSIFICATION_JSON: JsonLimits = {
  subject: "The request",
  advice: 'Send {"inputs": BASE64, "parameters": {"top_k": 5}}.',
  depth: 8,
  values: 200,
  fields: 200,
  bytes: MAX_STRUCTURE,
};

export const classificationRequest = z.object({
  /** The image as base64 or data URL. */
  inputs: text,
  parameters: z.optional(
    z.object({
      top_k: z.optional(z.nullable(z.int().check(z.gte(1)))),
      /** The scores are always probabilities here, whatever the last operator of the network. */
      function_to_apply: z.optional(z.nullable(z.literal("softmax", "must be softmax; other scores are not offered"))),
    }),
  ),
});
