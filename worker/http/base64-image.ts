/** Images in base64, which are decoded while they are labelled, so that only a part of the decoded bytes is in memory. */
import { LabelerError } from "../errors.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { imageFrom } from "../labeling/image-source.ts";
import type { ImageSource } from "../labeling/types.ts";
import { ByteStream } from "../runtime/byte-stream.ts";
import type { Text } from "../validation/long-text.ts";
import { looksLikeAddress } from "./first-contact.ts";

/** A length in characters. A text up to this length is decoded at once, so that the size of the image is known. */
const SMALL = 384 << 10;

/** The longest head of a data URL, which is the part before its comma. In characters. */
const MAX_DATA_URL_HEAD = 256;

/** The longest run of white space, which is meant for line breaks. In characters. */
const MAX_BLANK = 1024;

/** Characters that suffice to recognise an image in base64, even behind a byte order mark and the head of a data URL. */
const SNIFF_CHARACTERS = SNIFF_BYTES + MAX_DATA_URL_HEAD;

const notBase64 = (cause?: unknown) =>
  new LabelerError(
    "bad-body",
    "The image is neither base64 nor a base64 data URL. Encode the bytes of the image file, or send them as they are.",
    { cause },
  );

/** The text behind the head of a data URL, whose parameters may have blanks around them; the whole text if it has no head. */
function withoutHead(text: string): string {
  const head = text.slice(0, MAX_DATA_URL_HEAD).trimStart();
  if (looksLikeAddress(head)) {
    throw new LabelerError(
      "bad-body",
      "The image is an address, which the labeler does not fetch. Fetch it, and send its bytes in base64, or as they are.",
    );
  }
  if (!/^data:/i.test(head)) return text;
  const comma = head.indexOf(",");
  if (comma < 0 || !/;\s*base64\s*$/i.test(head.slice(0, comma))) throw notBase64();
  return text.trimStart().slice(comma + 1);
}

/** Base64 of URLs and file names (RFC 4648, 5) has other characters for 62 and 63. */
const standard = (text: string): string => (/[-_]/.test(text) ? text.replace(/-/g, "+").replace(/_/g, "/") : text);

/** The bytes of an image in chunks, each of which is valid until the next one is requested. */
async function* decoded(parts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array, void> {
  let bytes = new Uint8Array();
  let rest: string | undefined;
  let padded = false;
  try {
    for await (const part of parts) {
      // Up to three characters are left over of the part before, and white space, which may be of any length.
      const text = standard(rest === undefined ? withoutHead(part) : rest + part);
      if (padded && text.trim() !== "") throw new SyntaxError("something follows the padding");
      if (bytes.length < text.length) bytes = new Uint8Array(text.length);
      const { read, written } = bytes.setFromBase64(text, { lastChunkHandling: "stop-before-partial" });
      rest = text.slice(read).replace(/\s+/g, "");
      padded ||= text.slice(0, read).includes("=");
      // Otherwise white space alone could keep the labeler busy without end.
      if (written === 0 && text.length > MAX_BLANK) throw new SyntaxError("the text has too much white space");
      if (written > 0) yield bytes.subarray(0, written);
    }
    const { written } = bytes.setFromBase64(rest ?? "");
    if (written > 0) yield bytes.subarray(0, written);
  } catch (error) {
    throw error instanceof SyntaxError ? notBase64(error) : error;
  }
}

/**
 * Decodes an image in base64, or in a base64 data URL.
 *
 * @throws LabelerError of kind bad-body if the text is neither, or empty. Later parts of the text are checked when they
 *   are read.
 */
export async function imageFromBase64(text: Text): Promise<ImageSource> {
  const stream = new ByteStream(decoded(typeof text === "string" ? [text] : text.parts()));
  if ((await stream.peek(1)).length === 0) throw new LabelerError("bad-body", "The image in the JSON is empty.");
  if (text.length > SMALL) return { stream, size: undefined };
  const whole = await stream.all({ limit: SMALL });
  if (whole === undefined) throw new Error("base64 never grows when it is decoded");
  return imageFrom(whole);
}

/** One character for each byte; base64 is ASCII. */
const textOf = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

/** A byte order mark as latin1 reads it. */
const BYTE_ORDER_MARK = /^ï»¿/;

/**
 * Whether a text begins like an image in base64 or in a data URL. Other texts are not read any further.
 *
 * @throws The errors of the text's source.
 */
export async function beginsAsBase64Image(text: ByteStream): Promise<boolean> {
  const beginning = textOf(await text.peek(SNIFF_BYTES)).replace(BYTE_ORDER_MARK, "");
  const isUrl = /^\s*data:/i.test(beginning);
  if (!isUrl && !/^[\w+/=\s-]*$/.test(beginning)) return false;
  const sniffed = isUrl ? textOf(await text.peek(SNIFF_CHARACTERS)).replace(BYTE_ORDER_MARK, "") : beginning;
  try {
    const characters = standard(withoutHead(sniffed)).replace(/\s+/g, "");
    return isImage(Uint8Array.fromBase64(characters.slice(0, characters.length & ~3)));
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof LabelerError && error.kind === "bad-body")) return false;
    throw error;
  }
}

async function* textsOf(stream: ByteStream): AsyncGenerator<string, void> {
  // The head of a data URL has to be in the first of the texts.
  await stream.peek(SNIFF_CHARACTERS);
  let markable = true;
  for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
    yield markable ? textOf(chunk).replace(BYTE_ORDER_MARK, "") : textOf(chunk);
    markable = false;
  }
}

/** The bytes of an image, decoded from base64 while the text arrives. */
export const decodedStream = (text: ByteStream): ByteStream => new ByteStream(decoded(textsOf(text)));
