/** The JSON of Hugging Face's image-classification task. */
import * as z from "zod/mini";

export const classificationRequest = z.object({
  /** The image as base64 or data URL. */
  inputs: z.string(),
  parameters: z.optional(
    z.object({
      top_k: z.optional(z.nullable(z.int().check(z.gte(1)))),
      /** The scores are probabilities here, whatever the network ends in. */
      function_to_apply: z.optional(z.nullable(z.literal("softmax", "must be softmax; other scores are not offered"))),
    }),
  ),
});
