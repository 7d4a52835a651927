/**
 * Finds the images in a body: raw bytes, the files of a form, or base64 in JSON. What it is, is seen from the bytes and
 * not from Content-Type, since `curl --data-binary` calls everything a form.
 */

import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { type ImageSource, imageFrom } from "../label-image.ts";
import type { NamedImage } from "../label-many.ts";
import type { Execute } from "../runtime/execute.ts";
import { imagesJson } from "./image-json.ts";

const HOW =
  "Send the bytes of an image (curl --data-binary @photo.jpg), a form with files (curl -F image=@photo.jpg), " +
  'or JSON {"image": BASE64} or {"images": [BASE64, …]}.';

const bad = (what: string, cause?: unknown) => new LabelerError("bad-body", `${what} ${HOW}`, { cause });

const DATA_URL = /^data:[^,]*;base64,/i;

function nonEmpty(image: Uint8Array<ArrayBuffer>): ImageSource {
  if (image.length === 0) throw bad("The image is empty.");
  return imageFrom(image);
}

/**
 * An image in base64, or in a base64 data URL.
 *
 * @throws LabelerError of kind bad-body if it is neither, or empty.
 */
export function imageFromBase64(text: string): ImageSource {
  let image: Uint8Array<ArrayBuffer>;
  try {
    image = Uint8Array.fromBase64(text.replace(DATA_URL, ""));
  } catch (error) {
    throw bad("The image in the JSON is neither base64 nor a base64 data URL.", error);
  }
  return nonEmpty(image);
}

/** JSON and base64 of so many bytes are read in about a millisecond. */
export const TEXT_PER_UNIT = 256 << 10;

/** Classes and no closures: a closure would keep the whole body alive. */
class Base64Image implements NamedImage {
  readonly name: string | undefined;
  readonly #text: string;
  readonly #execute: Execute;
  constructor(execute: Execute, text: string, name?: string) {
    this.#execute = execute;
    this.#text = text;
    this.name = name;
  }
  open(): Promise<ImageSource> {
    return this.#execute(this.#text.length / TEXT_PER_UNIT, () => imageFromBase64(this.#text));
  }
}

class FileImage implements NamedImage {
  readonly name: string;
  readonly #file: File;
  constructor(file: File) {
    this.#file = file;
    this.name = file.name;
  }
  async open(): Promise<ImageSource> {
    return nonEmpty(new Uint8Array(await this.#file.arrayBuffer()));
  }
}

/** A single image, or several whose answers come as a list. */
export type Images =
  | { readonly one: ImageSource; readonly many?: undefined }
  | { readonly one?: undefined; readonly many: NamedImage[] };

function fromJson(body: Uint8Array, execute: Execute): Images {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    throw bad(`The body looks like JSON and cannot be read as such: ${(error as Error).message}.`, error);
  }
  const { success, data } = z.safeParse(imagesJson, json);
  if (!success) {
    throw bad('The JSON is no base64, no list of it, and no object with just the field "image" or "images".');
  }
  if (typeof data === "string") return { one: imageFromBase64(data) };
  if ("image" in data) return { one: imageFromBase64(data.image) };
  const list = "images" in data ? data.images : data;
  if (list.length === 0) throw bad("The list of images is empty.");
  const named = list.map((item) =>
    typeof item === "string" ? new Base64Image(execute, item) : new Base64Image(execute, item.image, item.name),
  );
  return { many: named };
}

async function fromForm(body: Uint8Array<ArrayBuffer>, contentType: string): Promise<Images> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": contentType } }).formData();
  } catch (error) {
    throw bad(`The multipart form cannot be read: ${(error as Error).message}.`, error);
  }
  const files: FileImage[] = [];
  for (const [, value] of form) if (typeof value !== "string") files.push(new FileImage(value));
  if (files.length === 0) throw bad("The form has no file in it.");
  return files.length === 1 ? { one: await files[0].open() } : { many: files };
}

/** The first byte that is no white space. */
const firstByte = (body: Uint8Array): number | undefined => body.find((byte) => byte > 0x20);

/** `{`, `[` and `"`. */
const JSON_BEGINS: readonly (number | undefined)[] = [0x7b, 0x5b, 0x22];

export interface BodyOptions {
  /** Reads a form or JSON whole. */
  readonly whole: () => Promise<Uint8Array<ArrayBuffer>>;
  /** How many images there may be: the setting MAX_IMAGES. */
  readonly maxImages: number;
  readonly execute: Execute;
}

/**
 * Finds the image, or the images. One that is sent as it is, is not waited for.
 *
 * @param source The body.
 * @param contentType Needed for the boundary of a form alone.
 * @throws LabelerError of kind bad-body if there is nothing in the body that could be an image, or too-many-images; and
 *   what `whole` throws.
 */
export async function imagesOf(
  source: ImageSource,
  contentType: string,
  { whole, maxImages, execute }: BodyOptions,
): Promise<Images> {
  const beginning = await source.pieces.peek(SNIFF_BYTES);
  if (beginning.length === 0) throw bad("The body is empty.");
  const form = /^multipart\/form-data/i.test(contentType);
  const json = JSON_BEGINS.includes(firstByte(beginning));
  // What is none of these is no image either, and decoding says so.
  if (isImage(beginning) || !(form || json)) return { one: source };
  const body = await whole();
  const found = form
    ? await fromForm(body, contentType)
    : await execute(body.length / TEXT_PER_UNIT, () => fromJson(body, execute));
  if (found.many !== undefined && found.many.length > maxImages) {
    throw new LabelerError(
      "too-many-images",
      `The request has ${found.many.length} images and the limit is ${maxImages}. Send fewer at once, or raise the setting MAX_IMAGES.`,
    );
  }
  return found;
}
