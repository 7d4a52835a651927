/** The files of a multipart form. What the form consists of is bounded before it is parsed. */
import { LabelerError } from "../errors.ts";
import type { Execute } from "../runtime/execute.ts";
import { group } from "../validation/words.ts";

const LINE_FEED = 0x0a;
const DASH = 0x2d;

/** Parts beside the images: fields that a web form or a client adds. */
const OTHER_PARTS = 32;

/** The fields of a form that are not files say nothing here, so none is large. In bytes. */
const MAX_FIELD = 64 << 10;

/** The head of a part has a few short lines. In bytes. */
const MAX_HEAD = 4096;

/** In bytes: scanning takes about a millisecond. */
const STRETCH = 256 << 10;

const ADVICE = "Send a form with files (curl -F image=@photo.jpg).";

const bad = (detail: string, cause?: unknown) => new LabelerError("bad-body", `${detail} ${ADVICE}`, { cause });

function boundaryOf(contentType: string): Uint8Array {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw bad("The Content-Type of the form does not name its boundary.");
  return new TextEncoder().encode(`--${boundary}`);
}

/** The places in a form where a line is the boundary, found in stretches. */
class Boundaries {
  readonly #bytes: Uint8Array;
  readonly #boundary: Uint8Array;
  readonly places: number[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, boundary: Uint8Array) {
    this.#bytes = bytes;
    this.#boundary = boundary;
    if (this.#startsAt(0)) this.places.push(0);
  }

  /** A boundary has no line feed in it, so that no byte is compared with more than one beginning of a line. */
  #startsAt(place: number): boolean {
    for (let i = 0; i < this.#boundary.length; i++) if (this.#bytes[place + i] !== this.#boundary[i]) return false;
    return true;
  }

  /** @param most Stops behind so many. @returns Whether there is nothing left to find. */
  advance(most: number): boolean {
    const end = Math.min(this.#bytes.length, this.#at + STRETCH);
    for (let at = this.#at; at < end; at++) {
      if (this.#bytes[at] !== LINE_FEED || this.#bytes[at + 1] !== DASH || !this.#startsAt(at + 1)) continue;
      this.places.push(at + 1);
      if (this.places.length > most) return true;
    }
    this.#at = end;
    return end === this.#bytes.length;
  }
}

/** The last boundary ends the form. @throws LabelerError of kind bad-body or too-many-images. */
async function checkParts(body: Uint8Array, contentType: string, maxImages: number, execute: Execute): Promise<void> {
  const limit = maxImages + OTHER_PARTS;
  const boundaries = new Boundaries(body, boundaryOf(contentType));
  while (!(await execute(1, () => boundaries.advance(limit + 1))));
  const { places } = boundaries;
  if (places.length > limit + 1) {
    throw new LabelerError(
      "too-many-images",
      `The form has more than ${limit} parts, and the limit is ${maxImages} images. Send fewer at once, or raise the setting MAX_IMAGES.`,
    );
  }
  for (const [index, start] of places.entries()) {
    const size = (places[index + 1] ?? body.length) - start;
    if (size <= MAX_FIELD) continue;
    const head = new TextDecoder("latin1").decode(body.subarray(start, start + MAX_HEAD)).split("\r\n\r\n", 1)[0];
    if (!/;\s*filename\*?=/i.test(head)) {
      throw bad(`A field of the form has more than ${group(MAX_FIELD)} bytes and is not a file: it has no file name.`);
    }
  }
}

/**
 * The files of a form, in their order.
 *
 * @throws LabelerError of kind bad-body if the form cannot be read or has no file, or too-many-images.
 */
export async function filesOf(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
  maxImages: number,
  execute: Execute,
): Promise<File[]> {
  await checkParts(body, contentType, maxImages, execute);
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": contentType } }).formData();
  } catch (error) {
    throw bad(`The multipart form cannot be read: ${(error as Error).message}.`, error);
  }
  const files: File[] = [];
  for (const [, value] of form) if (typeof value !== "string") files.push(value);
  if (files.length === 0) throw bad("The form has no file in it.");
  return files;
}
