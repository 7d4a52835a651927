/**
 * Finds the images in a body: raw bytes, the files of a form, or base64 in JSON. What it is, is seen from the bytes and
 * not from Content-Type, since `curl --data-binary` calls everything a form.
 */

import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { readJson } from "../json/read-json.ts";
import { imageFrom } from "../labeling/image-source.ts";
import type { NamedImage } from "../labeling/label-many.ts";
import type { ImageSource } from "../labeling/types.ts";
import type { Execute } from "../runtime/execute.ts";
import type { Text } from "../validation/long-text.ts";
import { imageFromBase64 } from "./base64-image.ts";
import { filesOf } from "./form.ts";
import { imageJsonLimits, readImages, tooManyImages } from "./image-json.ts";

const HOW =
  "Send the bytes of an image (curl --data-binary @photo.jpg), a form with files (curl -F image=@photo.jpg), " +
  'or JSON {"image": BASE64} or {"images": [BASE64, …]}.';

const bad = (detail: string) => new LabelerError("bad-body", `${detail} ${HOW}`);

/** An image's name is repeated in the answer. In characters, as file systems have it. */
const MAX_NAME = 255;

/** Classes and no closures: a closure would keep the whole body alive. */
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

class FileImage implements NamedImage {
  readonly name: string;
  readonly #file: File;
  constructor(file: File) {
    this.#file = file;
    this.name = file.name.slice(0, MAX_NAME).toWellFormed();
  }
  async open(): Promise<ImageSource> {
    const image = new Uint8Array(await this.#file.arrayBuffer());
    if (image.length === 0) throw bad("The image is empty.");
    return imageFrom(image);
  }
}

/** A single image, or several whose answers come as a list. */
export type Images =
  | { readonly one: ImageSource; readonly many?: undefined }
  | { readonly one?: undefined; readonly many: NamedImage[] };

async function fromJson(body: Uint8Array, { maxImages, execute }: ReadOptions): Promise<Images> {
  const images = readImages(await readJson(body, imageJsonLimits(maxImages), z.unknown(), execute), maxImages);
  if (!Array.isArray(images)) return { one: await imageFromBase64(images) };
  return { many: images.map(({ image, name }) => new Base64Image(image, name)) };
}

async function fromForm(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  { maxImages, execute }: ReadOptions,
): Promise<Images> {
  const files = (await filesOf(body, contentType, maxImages, execute)).map((file) => new FileImage(file));
  if (files.length > maxImages) throw tooManyImages(files.length, maxImages);
  return files.length === 1 ? { one: await files[0].open() } : { many: files };
}

/** The first byte that is no white space. */
const firstByte = (body: Uint8Array): number | undefined => body.find((byte) => byte > 0x20);

/** `{`, `[` and `"`. */
const JSON_BEGINS: readonly (number | undefined)[] = [0x7b, 0x5b, 0x22];

interface ReadOptions {
  /** How many images there may be: the setting MAX_IMAGES. */
  readonly maxImages: number;
  readonly execute: Execute;
}

export interface BodyOptions extends ReadOptions {
  /** Reads a form or JSON whole. */
  readonly whole: () => Promise<Uint8Array<ArrayBuffer>>;
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
  { whole, ...options }: BodyOptions,
): Promise<Images> {
  const beginning = await source.pieces.peek(SNIFF_BYTES);
  if (beginning.length === 0) throw bad("The body is empty.");
  const form = /^multipart\/form-data/i.test(contentType);
  const json = JSON_BEGINS.includes(firstByte(beginning));
  // What is none of these is no image either, and decoding says so.
  if (isImage(beginning) || !(form || json)) return { one: source };
  const body = await whole();
  return form ? fromForm(body, contentType, options) : fromJson(body, options);
}
