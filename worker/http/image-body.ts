/**
 * Finds the images in a body, which is raw bytes, a form with files, base64, or JSON with base64, and the parameters beside
 * them. The first bytes decide which of these it is, and not Content-Type, since `curl --data-binary` calls everything a
 * form.
 */

import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { readJson } from "../json/read-json.ts";
import type { NamedImage } from "../labeling/label-many.ts";
import type { ImageSource } from "../labeling/types.ts";
import type { Execute } from "../runtime/execute.ts";
import type { Text } from "../validation/long-text.ts";
import { beginsAsBase64Image, decodedStream, imageFromBase64 } from "./base64-image.ts";
import { mistakeOf } from "./first-contact.ts";
import { type FormSource, readForm } from "./form.ts";
import { imageJsonLimits, type JsonOptions, readImages } from "./image-json.ts";
import type { Images } from "./images.ts";
import { boundaryOf, isMultipart } from "./multipart/boundary.ts";
import type { BodyParameters } from "./parameters.ts";

const HOW =
  "Send the bytes of an image (curl --data-binary @photo.jpg), a form with files (curl -F image=@photo.jpg), " +
  'or JSON {"image": BASE64} or {"images": [BASE64, …]}.';

const bad = (detail: string) => new LabelerError("bad-body", `${detail} ${HOW}`);

/** A class and no closure: a closure would keep the whole body alive. */
class Base64Image implements NamedImage {
  readonly name: string | undefined;
  readonly #text: Text;
  constructor(text: Text, name?: string) {
    this.#text = text;
    this.name = name;
  }
  open(): Promise<ImageSource> {
    return imageFromBase64(this.#text);
  }
}

/** The byte order mark of UTF-8, which some editors and languages write. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The first byte after white space and a byte order mark. */
export function firstByte(body: Uint8Array): number | undefined {
  const start = BYTE_ORDER_MARK.every((byte, i) => body[i] === byte) ? BYTE_ORDER_MARK.length : 0;
  return body.subarray(start).find((byte) => byte > 0x20);
}

/** `{`, `[` and `"`. */
const JSON_BEGINS: readonly (number | undefined)[] = [0x7b, 0x5b, 0x22];

export interface BodyOptions extends JsonOptions {
  /** Reads JSON whole. */
  readonly whole: () => Promise<Uint8Array<ArrayBuffer>>;
  /** The same body as a form. */
  readonly form: () => FormSource;
  readonly execute: Execute;
}

export interface BodyContent {
  readonly images: Images;
  /** The parameters beside the images. */
  readonly parameters: BodyParameters;
  /** Where the parameters are, for error messages: "the form". */
  readonly place: string;
}

/** Whether the body of a request may have parameters, which are then not known before the body is read. */
export const mayHaveParameters = (contentType: string): boolean =>
  isMultipart(contentType) || /^\s*application\/json/i.test(contentType);

const singleImage = (one: ImageSource): BodyContent => ({ images: { one }, parameters: {}, place: "" });

async function fromJson(body: Uint8Array, options: BodyOptions): Promise<BodyContent> {
  const json = await readJson(body, imageJsonLimits(options.maxImages), z.unknown(), options.execute);
  const { images, parameters } = readImages(json, options);
  const found: Images = Array.isArray(images)
    ? { many: images.map(({ image, name }) => new Base64Image(image, name)) }
    : { one: await imageFromBase64(images) };
  return { images: found, parameters, place: "the JSON" };
}

/**
 * Reads a single image, raw or in base64, without waiting for all of it.
 *
 * @throws LabelerError of kind bad-body for a common mistake of clients, such as a file name in place of a file.
 */
export async function plainImage(source: ImageSource, contentType: string): Promise<ImageSource> {
  const beginning = await source.stream.peek(SNIFF_BYTES);
  const mistake = mistakeOf(beginning, contentType);
  if (mistake !== undefined) throw mistake;
  // Anything else is not an image either; decoding reports that.
  if (isImage(beginning) || !(await beginsAsBase64Image(source.stream))) return source;
  return { stream: decodedStream(source.stream), size: undefined, reception: source.reception };
}

/**
 * Finds the image, or the images. A raw image, or the file of a form that follows its fields, is read while it arrives.
 *
 * @param source The body.
 * @param contentType Needed for the boundary of a form only.
 * @throws LabelerError of kind bad-body if nothing in the body could be an image, or too-many-images, and the errors of
 *   `whole`.
 */
export async function readBody(source: ImageSource, contentType: string, options: BodyOptions): Promise<BodyContent> {
  const beginning = await source.stream.peek(SNIFF_BYTES);
  if (beginning.length === 0) throw bad("The body is empty.");
  if (isImage(beginning)) return singleImage(await plainImage(source, contentType));
  if (isMultipart(contentType)) {
    const content = await readForm(options.form(), boundaryOf(contentType, beginning));
    return { ...content, place: "the form" };
  }
  if (JSON_BEGINS.includes(firstByte(beginning))) return fromJson(await options.whole(), options);
  return singleImage(await plainImage(source, contentType));
}
