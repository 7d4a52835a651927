/** Images in JSON: one, or several, in base64 or as data URLs, and parameters beside them. */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { type JsonLimits, MAX_STRUCTURE } from "../json/json-limits.ts";
import type { Text } from "../validation/long-text.ts";
import { nearest } from "../validation/nearest.ts";
import { cut, quote } from "../validation/quote.ts";
import { isText, text } from "../validation/text.ts";
import { type BodyParameters, ParameterList } from "./parameters.ts";
import { explainQuery, REPEATABLE } from "./query.ts";

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

/** The longest name of an image, in characters. */
const MAX_NAME = 255;

const namedImage = z.strictObject({ name: z.optional(z.string().check(z.maxLength(MAX_NAME))), image: text });
const several = z.array(z.union([text, namedImage]));
/** What a field of JSON may be that is a parameter; see addList() for lists. */
function parameterField(name: string) {
  if (REPEATABLE.includes(name)) return z.union([z.string(), z.array(z.string())]);
  return name === "crop" ? z.union([z.string(), z.array(z.number())]) : z.union([z.string(), z.number()]);
}
const parameterFields = Object.fromEntries(
  Object.keys(explainQuery.shape).map((name) => [name, z.optional(parameterField(name))]),
);

/**
 * The schema for the OpenAPI document. readImages() accepts more, which existing clients send but new ones should not.
 */
export const imagesJson = z.union([
  text,
  z.strictObject({ image: text, ...parameterFields }),
  several,
  z.strictObject({ images: several, ...parameterFields }),
]);

export interface JsonImage {
  readonly name?: string | undefined;
  readonly image: Text;
}

/** How JSON is read. */
export interface JsonOptions {
  /** The setting MAX_IMAGES. */
  readonly maxImages: number;
  /** The names of the route's parameters. */
  readonly parameters: readonly string[];
  /**
   * Whether the JSON is a record of a stream, as eKuiper's REST sink sends it: it has other fields, too, and stands alone
   * in a list.
   */
  readonly record?: boolean | undefined;
}

export interface JsonContent {
  /** A single image, or a list where the JSON has one. */
  readonly images: Text | JsonImage[];
  readonly parameters: BodyParameters;
}

const bad = (detail: string) => new LabelerError("bad-body", `${detail} ${FORMS}`);

export const tooManyImages = (count: number, limit: number): LabelerError =>
  new LabelerError(
    "too-many-images",
    `The request has ${count} images and the limit is ${limit}. Send fewer at once, or raise the setting MAX_IMAGES.`,
  );

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isText(value);

/** What an image is called: eKuiper calls a stream's bytes "self". */
const IMAGE_NAMES = ["image", "self"] as const;

/** The image of an object; undefined if it has none. @param place In front of what is wrong: `Image 3 of the list`. */
function imageIn(fields: Fields, place: string): Text | undefined {
  const names = IMAGE_NAMES.filter((name) => Object.hasOwn(fields, name));
  const [name] = names;
  if (name === undefined) return undefined;
  const image = fields[name];
  if (!isText(image)) throw bad(`${place} is not an object with an image: ${name}: must be a string.`);
  return image;
}

/** @throws LabelerError for the first field that is not known, with the one that may be meant. */
function checkFields(fields: Fields, known: readonly string[], place: string): void {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = nearest(unknown, known);
    const hint = meant === undefined ? "" : `; do you mean ${quote(meant)}?`;
    throw bad(`${place}: there is no field ${quote(unknown)}${hint}${hint === "" ? "." : ""}`);
  }
  if (IMAGE_NAMES.every((name) => Object.hasOwn(fields, name))) {
    throw bad(`${place} has both "image" and "self"; send one of them.`);
  }
}

/** A list of regions, or of the four numbers of a crop. @returns Whether it is one of them. */
function addList(list: ParameterList, name: string, values: readonly unknown[]): boolean {
  if (REPEATABLE.includes(name) && values.every((value) => typeof value === "string")) {
    for (const value of values) list.add(name, value);
    return true;
  }
  if (name !== "crop" || !values.every((value) => typeof value === "number")) return false;
  list.add(name, values.join(","));
  return true;
}

function parametersIn(fields: Fields, names: readonly string[]): BodyParameters {
  const list = new ParameterList("the JSON");
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : null;
    if (value === null) continue;
    if (Array.isArray(value) && addList(list, name, value)) continue;
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new LabelerError("bad-parameter", `${name}: must be a short text or a number, not ${quote(value)}.`);
    }
    list.add(name, String(value));
  }
  return list.values;
}

function imageOfList(value: unknown, index: number): JsonImage {
  const place = `Image ${index + 1} of the list`;
  if (isText(value)) return { image: value };
  if (!isObject(value)) throw bad(`${place} is neither base64 nor an object with "image".`);
  checkFields(value, ["name", ...IMAGE_NAMES], place);
  const image = imageIn(value, place);
  if (image === undefined) throw bad(`${place} is neither base64 nor an object with "image": image: is missing.`);
  const { name } = value;
  if (name === undefined) return { image };
  if (typeof name !== "string" || name.length > MAX_NAME) {
    throw bad(`${place}: name: must be a text of at most ${MAX_NAME} characters.`);
  }
  return { image, name };
}

function imagesOfList(items: readonly unknown[], maxImages: number): JsonImage[] {
  if (items.length === 0) throw bad("The list of images is empty.");
  if (items.length > maxImages) throw tooManyImages(items.length, maxImages);
  return items.map(imageOfList);
}

/**
 * The images of JSON that was parsed, and the parameters beside them.
 *
 * @throws LabelerError of kind bad-body that names the first image that is none, or the first field that is not known and
 *   the nearest one that is; bad-parameter, or too-many-images.
 */
export function readImages(json: unknown, options: JsonOptions): JsonContent {
  const { maxImages, parameters: names, record = false } = options;
  if (isText(json)) return { images: json, parameters: {} };
  if (Array.isArray(json)) {
    if (record && json.length === 1) return readImages(json[0], options);
    return { images: imagesOfList(json, maxImages), parameters: {} };
  }
  if (!isObject(json)) throw bad("The JSON is neither base64, nor a list of it, nor an object.");
  if (!record) checkFields(json, ["image", "images", "self", ...names], "The JSON");
  const parameters = parametersIn(json, names);
  const image = imageIn(json, "The JSON");
  const { images } = json;
  if (image === undefined) {
    if (!Array.isArray(images)) throw bad(`The JSON has no image: its fields are ${listOf(json)}.`);
    return { images: imagesOfList(images, maxImages), parameters };
  }
  if (images !== undefined && !record) throw bad('The JSON has both "image" and "images"; send one of them.');
  return { images: image, parameters };
}

/** The first names of an object's fields. */
function listOf(fields: Fields): string {
  const names = Object.keys(fields);
  if (names.length === 0) return "none";
  return (
    names
      .slice(0, 5)
      .map((name) => quote(cut(name)))
      .join(", ") + (names.length > 5 ? " and others" : "")
  );
}
