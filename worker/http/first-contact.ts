/** Recognises bodies that are not images because of common mistakes in calling a client. */
import { LabelerError } from "../errors.ts";
import { quote } from "../validation/quote.ts";

const bad = (detail: string) => new LabelerError("bad-body", detail);

/** The longest path, in characters: one of a few folders. */
const MAX_PATH = 1024;

/** Whether a text is the name of an image file, or a path to one. */
export const looksLikeFileName = (text: string): boolean =>
  text.length <= MAX_PATH &&
  /^[^\r\n\0<>"{}]+\.(jpe?g|png|webp|gif|bmp|tiff?|heic|heif|avif|ppm|pgm)$/i.test(text.trim());

/** Whether a text is an address, which other services may fetch an image from. */
export const looksLikeAddress = (text: string): boolean => /^\s*https?:\/\/\S/i.test(text);

/** Bytes that `curl -d @file` drops: NUL, LF and CR. The first bytes of nearly every image have one of them. */
const STRIPPED = [0x00, 0x0a, 0x0d];

/** If so many bytes have none of them, it is not a coincidence. */
const LONG_ENOUGH = 64;

const isText = (bytes: Uint8Array): boolean => bytes.every((byte) => byte >= 0x09 && byte < 0x7f);

/** Whether a body is a file that curl read as text. */
function isStripped(beginning: Uint8Array, contentType: string): boolean {
  if (!/^application\/x-www-form-urlencoded/i.test(contentType)) return false;
  if (beginning.length < LONG_ENOUGH || isText(beginning)) return false;
  return STRIPPED.every((byte) => !beginning.includes(byte));
}

/**
 * The error for a body that a common mistake explains; undefined for any other body.
 *
 * @param beginning SNIFF_BYTES of the body, or all of it if it is shorter.
 */
export function mistakeOf(beginning: Uint8Array, contentType: string): LabelerError | undefined {
  if (isStripped(beginning, contentType)) {
    return bad(
      "The body is a file without its zeros and line ends, which curl -d leaves out. Send the file as it is: " +
        "curl --data-binary @photo.jpg.",
    );
  }
  if (!isText(beginning)) return undefined;
  const text = new TextDecoder().decode(beginning).trim();
  if (looksLikeAddress(text)) {
    return bad(
      `The body is an address, ${quote(text)}, which the labeler does not fetch. Send the image itself: ` +
        "curl -sSL ADDRESS | curl --data-binary @- and the labeler's address.",
    );
  }
  if (looksLikeFileName(text) && !text.includes("=")) {
    return bad(
      `The body is the name of a file, ${quote(text)}, and not what is in the file. Put an @ before it: ` +
        `curl --data-binary @${text.length < 60 ? text : "photo.jpg"}.`,
    );
  }
  const [, field, value] = /^(image|file|photo|picture|img)=(.*)$/is.exec(text) ?? [];
  if (field === undefined || value === undefined) return undefined;
  return bad(
    `The body is a text field, ${quote(field)}, and not a file. Send the file as it is (curl --data-binary @photo.jpg), or in a ` +
      "form (curl -F image=@photo.jpg).",
  );
}
