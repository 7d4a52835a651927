/** Images in JSON: one, or several, in base64 or as data URLs. */
import * as z from "zod/mini";

const several = z.array(z.union([z.string(), z.strictObject({ name: z.optional(z.string()), image: z.string() })]));

export const imagesJson = z.union([
  z.string(),
  z.strictObject({ image: z.string() }),
  several,
  z.strictObject({ images: several }),
]);
