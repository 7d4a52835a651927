/** The images and parameters of a multipart form. An image whose fields came before it is not waited for. */
import { LabelerError } from "../errors.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { SMALL_IMAGE } from "../labeling/admission.ts";
import { imageFrom } from "../labeling/image-source.ts";
import type { NamedImage } from "../labeling/label-many.ts";
import type { ImageSource } from "../labeling/types.ts";
import { ByteStream } from "../runtime/byte-stream.ts";
import type { Execute } from "../runtime/execute.ts";
import { GrowingBuffer, type Reserve } from "../runtime/growing-buffer.ts";
import { cut, listNames, quote } from "../validation/quote.ts";
import { group } from "../validation/words.ts";
import { beginsAsBase64Image, decodedStream } from "./base64-image.ts";
import { looksLikeAddress, looksLikeFileName } from "./first-contact.ts";
import type { Images } from "./images.ts";
import { MultipartReader } from "./multipart/multipart-reader.ts";
import type { PartHead } from "./multipart/part-head.ts";
import { type BodyParameters, ParameterList } from "./parameters.ts";

/** Parts beside the images. */
const OTHER_PARTS = 64;

/** A text field is a parameter, and none is longer. In bytes. */
const MAX_FIELD = 4 << 10;

/** An image's name is repeated in the answer. In characters, as file systems have it. */
const MAX_NAME = 255;

const ADVICE = "Send a form with files (curl -F image=@photo.jpg).";

const bad = (detail: string) => new LabelerError("bad-body", `${detail} ${ADVICE}`);

export interface FormOptions {
  /** The setting MAX_IMAGES. */
  readonly maxImages: number;
  readonly execute: Execute;
  /** Reserves memory for the beginning of an image that may be small. */
  readonly reserveBeginning: Reserve;
  /** Gives that memory back: to be called before other memory is waited for, since whoever has that may wait for this. */
  readonly releaseBeginning: () => void;
  /** Reserves memory for all that a form has in it. */
  readonly reserveWhole: Reserve;
  /** Receives the images of a form, which are needed until the request is answered. */
  readonly freeWhenAnswered: (buffer: GrowingBuffer) => void;
  /** The most that a form has in it, in bytes: the setting MAX_FORM_BYTES. */
  readonly maxBytes: number;
}

/** A form that comes. */
export interface FormSource {
  readonly source: ImageSource;
  readonly options: FormOptions;
}

interface Part {
  readonly head: PartHead;
  readonly content: ByteStream;
  readonly isFile: boolean;
}

async function* contentOf(reader: MultipartReader): AsyncGenerator<Uint8Array, void> {
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) yield chunk;
}

/** A class and no closure: a closure would keep the whole form alive. */
class FileImage implements NamedImage {
  readonly name: string;
  readonly #image: Uint8Array<ArrayBuffer>;
  constructor(name: string, image: Uint8Array<ArrayBuffer>) {
    this.name = name;
    this.#image = image;
  }
  open(): ImageSource {
    if (this.#image.length === 0) throw bad("The image is empty.");
    return imageFrom(this.#image);
  }
}

const nameOf = ({ name, fileName }: PartHead): string => (fileName || name || "").slice(0, MAX_NAME).toWellFormed();

/** What a form has in it, part by part. */
class Form {
  readonly #reader: MultipartReader;
  /** The size of the form in bytes, if it is known. */
  readonly #size: number | undefined;
  readonly #options: FormOptions;
  readonly #parameters = new ParameterList("the form");
  #parts = 0;
  #images = 0;
  /** The field of a file that nobody chose. */
  #empty: string | undefined;

  constructor({ source, options }: FormSource, boundary: string) {
    this.#reader = new MultipartReader(source.stream, boundary, options.execute);
    this.#size = source.size;
    this.#options = options;
  }

  get parameters(): BodyParameters {
    return this.#parameters.values;
  }

  async #nextPart(): Promise<Part | undefined> {
    const { maxImages } = this.#options;
    const head = await this.#reader.next();
    if (head === undefined) return undefined;
    if (++this.#parts > maxImages + OTHER_PARTS) {
      throw new LabelerError(
        "too-many-images",
        `The form has more than ${maxImages + OTHER_PARTS} parts, and the limit is ${maxImages} images. Send fewer at once, ` +
          "or raise the setting MAX_IMAGES.",
      );
    }
    const content = new ByteStream(contentOf(this.#reader));
    const beginning = await content.peek(SNIFF_BYTES);
    const encoded = !isImage(beginning) && (head.transferEncoding === "base64" || (await beginsAsBase64Image(content)));
    const isFile =
      encoded ||
      head.fileName !== undefined ||
      /^(image\/|application\/octet-stream$)/.test(head.type ?? "") ||
      isImage(beginning);
    return { head, content: encoded ? decodedStream(content) : content, isFile };
  }

  /** The next file; the fields before it become parameters. @param late Whether it is too late for fields. */
  async nextFile(late = false): Promise<Part | undefined> {
    for (let part = await this.#nextPart(); part !== undefined; part = await this.#nextPart()) {
      const { head, content, isFile } = part;
      if (!isFile) {
        const name = head.name ?? "";
        if (late) {
          throw bad(
            `The field ${quote(name)} of the form is behind an image that is labelled as it comes: put fields before the file.`,
          );
        }
        await this.#addField(name, content);
      } else if (head.fileName === "" && (await content.peek(1)).length === 0) {
        this.#empty = nameOf(head);
      } else {
        const { maxImages } = this.#options;
        if (++this.#images <= maxImages) return part;
        throw new LabelerError(
          "too-many-images",
          `The form has more than ${maxImages} images, which is the limit. Send fewer at once, or raise the setting MAX_IMAGES.`,
        );
      }
    }
    return undefined;
  }

  async #addField(name: string, content: ByteStream): Promise<void> {
    const value = await content.all({ limit: MAX_FIELD });
    if (value === undefined) {
      throw bad(
        `The field ${quote(name)} of the form has more than ${group(MAX_FIELD)} bytes, which is the limit, and is not a file: it ` +
          "has no file name.",
      );
    }
    this.#parameters.add(name, new TextDecoder().decode(value).replace(/\r?\n$/, ""));
  }

  /** Why there is no image. */
  refusal(): LabelerError {
    if (this.#empty !== undefined) return bad(`No file was chosen in the field ${quote(this.#empty)} of the form.`);
    const fields = Object.entries(this.parameters).map(([name, value]) => [name, `${value}`] as const);
    const [name, value = ""] =
      fields.find(([name, value]) => looksLikeFileName(value) || IMAGE_FIELDS.test(name)) ?? [];
    if (name !== undefined && looksLikeAddress(value)) {
      return bad(
        `The field ${quote(name)} of the form is the address ${quote(value)}, which the labeler does not fetch: send the file ` +
          "itself.",
      );
    }
    if (name !== undefined) {
      return bad(
        `The field ${quote(name)} of the form is the text ${quote(value)}, and not a file. With curl, the name of a file has an ` +
          "@ before it.",
      );
    }
    if (fields.length === 0) return bad("The form has no file in it.");
    return bad(`The form has no file in it, only the fields ${listNames(fields.map(([name]) => cut(name)))}.`);
  }

  /** All files that are left, in memory. @param first Of a file that was read already. @param next The file that comes. */
  async rest(first: FileImage | undefined, next: Part | undefined, late: boolean): Promise<FileImage[]> {
    const { releaseBeginning, reserveWhole, freeWhenAnswered, maxBytes } = this.#options;
    releaseBeginning();
    const buffer = new GrowingBuffer({ expected: this.#size, most: maxBytes, reserve: reserveWhole });
    freeWhenAnswered(buffer);
    const files: { readonly name: string; readonly start: number; readonly end: number }[] = [];
    for (let part = next; part !== undefined; part = await this.nextFile(late)) {
      const start = buffer.length;
      for (let chunk = await part.content.next(); chunk !== undefined; chunk = await part.content.next()) {
        await buffer.add(chunk);
      }
      files.push({ name: nameOf(part.head), start, end: buffer.length });
    }
    const images = files.map(({ name, start, end }) => new FileImage(name, buffer.bytes.subarray(start, end)));
    return first === undefined ? images : [first, ...images];
  }
}

/** Fields that clients send an image in. */
const IMAGE_FIELDS = /^(images?|files?|photos?|pictures?|img|upload|data)(\[\])?$/i;

/**
 * Reads a form up to its first image, and on if that one is small.
 *
 * @throws LabelerError of kind bad-body if the form cannot be read or has no image, bad-parameter, or too-many-images.
 */
export async function readForm(
  formSource: FormSource,
  boundary: string,
): Promise<{ readonly images: Images; readonly parameters: BodyParameters }> {
  const { source, options } = formSource;
  const form = new Form(formSource, boundary);
  const part = await form.nextFile();
  if (part === undefined) throw form.refusal();
  const name = nameOf(part.head);
  const { content } = part;
  const beginning = await content.peek(SMALL_IMAGE + 1, options.reserveBeginning);
  if (beginning.length > SMALL_IMAGE) {
    const one = { stream: content, size: undefined, reception: source.reception };
    const behind = async () => form.rest(undefined, await form.nextFile(true), true);
    return { images: { one, name, behind }, parameters: form.parameters };
  }
  const first = new FileImage(name, (await content.all({ limit: SMALL_IMAGE })) ?? new Uint8Array());
  const second = await form.nextFile();
  const images = second === undefined ? { one: first.open() } : { many: await form.rest(first, second, false) };
  return { images, parameters: form.parameters };
}
