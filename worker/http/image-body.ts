/**
 * Finds the image in a body: raw bytes, the first file of a form, or base64 in JSON. What it is, is seen from the bytes
 * and not from Content-Type, since `curl --data-binary` calls everything a form.
 */

import * as z from "zod/mini";
import "../schema-messages.ts";
import { LabelerError } from "../errors.ts";
import { Pieces } from "../image/pieces.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { tooLarge } from "./body.ts";

const HOW =
  "Send the bytes of an image (curl --data-binary @photo.jpg), a form with a file (curl -F image=@photo.jpg), " +
  'or JSON {"image": BASE64}.';

const bad = (what: string, cause?: unknown) => new LabelerError("bad-body", `${what} ${HOW}`, { cause });

const jsonBody = z.union([z.string(), z.strictObject({ image: z.string() })]);

const DATA_URL = /^data:[^,]*;base64,/i;

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text.replace(DATA_URL, ""));
  } catch (error) {
    throw bad("The image in the JSON is neither base64 nor a base64 data URL.", error);
  }
}

function fromJson(body: Uint8Array): Uint8Array<ArrayBuffer> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    throw bad(`The body looks like JSON and cannot be read as such: ${(error as Error).message}.`, error);
  }
  const { success, data } = z.safeParse(jsonBody, json);
  if (!success) throw bad('The JSON is neither a string of base64 nor an object with just the field "image".');
  return fromBase64(typeof data === "string" ? data : data.image);
}

async function fromForm(body: Uint8Array<ArrayBuffer>, contentType: string): Promise<Uint8Array<ArrayBuffer>> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": contentType } }).formData();
  } catch (error) {
    throw bad(`The multipart form cannot be read: ${(error as Error).message}.`, error);
  }
  for (const [, value] of form) if (typeof value !== "string") return new Uint8Array(await value.arrayBuffer());
  throw bad("The form has no file in it.");
}

/** The first byte that is no white space. */
const firstByte = (body: Uint8Array): number | undefined => body.find((byte) => byte > 0x20);

/** An image that may still be coming. */
export interface IncomingImage {
  readonly pieces: Pieces;
  /** In bytes, where it is known. */
  readonly size: number | undefined;
}

const complete = (image: Uint8Array): IncomingImage => {
  if (image.length === 0) throw bad("The image is empty.");
  return { pieces: new Pieces([image]), size: image.length };
};

/**
 * Finds the image. One that is sent as it is, is not waited for.
 *
 * @param size Of the body in bytes, where it is known.
 * @param contentType Needed for the boundary of a form alone.
 * @param bufferLimit The largest form or JSON, in bytes, since these stand in memory: the setting MAX_FORM_BYTES.
 * @throws LabelerError of kind bad-body if there is nothing in the body that could be an image, or body-too-large.
 */
export async function imageOf(
  pieces: Pieces,
  size: number | undefined,
  contentType: string,
  bufferLimit: number,
): Promise<IncomingImage> {
  const beginning = await pieces.peek(SNIFF_BYTES);
  if (beginning.length === 0) throw bad("The body is empty.");
  const form = /^multipart\/form-data/i.test(contentType);
  const first = firstByte(beginning);
  const json = first === 0x7b || first === 0x22; // { or "
  // What is none of these is no image either, and decoding says so.
  if (isImage(beginning) || !(form || json)) return { pieces, size };
  if (size !== undefined && size > bufferLimit) {
    throw tooLarge(bufferLimit, `as a form or JSON ${size.toLocaleString("en-US")}`, "MAX_FORM_BYTES");
  }
  const whole = await pieces.all({ limit: bufferLimit, size });
  if (whole === undefined) {
    throw tooLarge(bufferLimit, `as a form or JSON more than ${bufferLimit.toLocaleString("en-US")}`, "MAX_FORM_BYTES");
  }
  return complete(form ? await fromForm(whole, contentType) : fromJson(whole));
}
