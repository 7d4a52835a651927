/** Images in JSON: one, or several, in base64 or as data URLs. */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { type JsonLimits, MAX_STRUCTURE } from "../json/json-limits.ts";
import type { Text } from "../validation/long-text.ts";
import { faultsOf } from "../validation/schema-messages.ts";
import { isText, text } from "../validation/text.ts";

const FORMS = 'Send {"image": BASE64}, {"images": [BASE64, …]} or {"images": [{"name": …, "image": BASE64}, …]}.';

/** @param maxImages The setting MAX_IMAGES. */
export const imageJsonLimits = (maxImages: number): JsonLimits => ({
  subject: "The JSON",
  advice: `${FORMS} The setting MAX_IMAGES allows ${maxImages} at once.`,
  depth: 8,
  values: 1000 + 5 * maxImages,
  fields: 1000 + 5 * maxImages,
  bytes: Math.max(MAX_STRUCTURE, maxImages << 10),
});

const namedImage = z.strictObject({ name: z.optional(z.string().check(z.maxLength(255))), image: text });
const several = z.array(z.union([text, namedImage]));

/** For the description of the interface; readImages() checks the same without collecting the faults of every image. */
export const imagesJson = z.union([
  text,
  z.strictObject({ image: text }),
  several,
  z.strictObject({ images: several }),
]);

export interface JsonImage {
  readonly name?: string | undefined;
  readonly image: Text;
}

const one = z.strictObject({ image: text });
const list = z.union([z.array(z.unknown()), z.strictObject({ images: z.array(z.unknown()) })]);

const bad = (detail: string) => new LabelerError("bad-body", `${detail} ${FORMS}`);

export const tooManyImages = (count: number, limit: number): LabelerError =>
  new LabelerError(
    "too-many-images",
    `The request has ${count} images and the limit is ${limit}. Send fewer at once, or raise the setting MAX_IMAGES.`,
  );

/**
 * The images of JSON that was parsed.
 *
 * @returns A single image, or a list where the JSON has one.
 * @throws LabelerError of kind bad-body that names the first image that is none, or too-many-images.
 */
export function readImages(json: unknown, maxImages: number): Text | JsonImage[] {
  if (isText(json)) return json;
  const single = z.safeParse(one, json);
  if (single.success) return single.data.image;
  const { success, data } = z.safeParse(list, json);
  if (!success) throw bad('The JSON is neither base64, nor a list of it, nor an object with just "image" or "images".');
  const items = Array.isArray(data) ? data : data.images;
  if (items.length === 0) throw bad("The list of images is empty.");
  if (items.length > maxImages) throw tooManyImages(items.length, maxImages);
  return items.map((value, index) => {
    if (isText(value)) return { image: value };
    const { success, data, error } = z.safeParse(namedImage, value);
    if (success) return data;
    throw bad(`Image ${index + 1} of the list is neither base64 nor an object with "image": ${faultsOf(error)}.`);
  });
}
