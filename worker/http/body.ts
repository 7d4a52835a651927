/** A request's body as pieces that are counted as they come: never more of it than is allowed. */
import { LabelerError } from "../errors.ts";
import type { Execute } from "../runtime/execute.ts";
import { Reception } from "../runtime/reception.ts";
import { group } from "../validation/words.ts";
import { decodedBody, encodingOf } from "./content-encoding.ts";

export interface Body {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** In bytes, where a Content-Length says so. */
  readonly size: number | undefined;
  /** How fast it comes. */
  readonly reception: Reception;
}

/** The setting that bounds a body. */
export type BodyLimit = "MAX_BODY_BYTES" | "MAX_FORM_BYTES";

/**
 * The error for a body over a limit.
 *
 * @param size In bytes, undefined where it is not known. @param setting The setting whose limit it is.
 */
export function tooLarge(size: number | undefined, limit: number, setting: BodyLimit) {
  const bytes = size === undefined ? `more than ${group(limit)}` : group(size);
  const form = setting === "MAX_FORM_BYTES";
  const advice = form
    ? "Send the image as it is (curl --data-binary @photo.jpg), or fewer images at once"
    : "Send a smaller or more compressed image";
  return new LabelerError(
    "body-too-large",
    `The body is ${bytes} bytes long and the limit${form ? " for forms and JSON" : ""} is ${group(limit)}. ${advice}, or raise ` +
      `the setting ${setting}.`,
  );
}

/**
 * Some clients only read the answer once they have sent everything, and where a connection is closed on them they lose it:
 * what is left of a body is read and thrown away, up to so many times the limit, and for so long in milliseconds.
 */
const DRAIN = { limits: 2, patience: 30_000 };

/** How a body that was opened is drained. */
const opened = new WeakMap<Request, () => Promise<void>>();

export interface OpenOptions {
  /** In bytes: the value of `setting`. It bounds what comes, and what that is when it is decompressed. */
  readonly limit: number;
  readonly setting?: BodyLimit;
  /** Runs decompression when it is this request's turn. */
  readonly execute: Execute;
}

/**
 * Opens the body of a request, which is decompressed as it is read.
 *
 * @throws LabelerError of kind body-too-large at once where a Content-Length says so; else the pieces throw it when too
 *   much has come. Of kind unsupported-encoding for a Content-Encoding that is not read.
 */
export function openBody(request: Request, { limit, setting = "MAX_BODY_BYTES", execute }: OpenOptions): Body {
  const encoding = encodingOf(request.headers.get("content-encoding"));
  const declared = request.headers.get("content-length");
  const size = declared === null ? undefined : Number(declared);
  if (size !== undefined && size > limit) throw tooLarge(size, limit, setting);
  const reception = new Reception();
  if (request.body === null) return { pieces: nothing(), size, reception };
  const reader = request.body.getReader({ mode: "byob" });
  let ended = false;
  opened.set(request, () => (ended ? Promise.resolve() : drain(reader, limit)));
  const end = () => {
    ended = true;
  };
  const pieces = counted(reader, reception, { limit, setting }, end);
  if (encoding === undefined) return { pieces, size, reception };
  return { pieces: bounded(decodedBody(pieces, encoding, execute), limit, setting), size: undefined, reception };
}

/** Pieces of what was decompressed, up to a limit. */
async function* bounded(
  pieces: AsyncIterable<Uint8Array>,
  limit: number,
  setting: BodyLimit,
): AsyncGenerator<Uint8Array, void> {
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > limit) throw tooLarge(undefined, limit, setting);
    yield piece;
  }
}

/** Reads, within bounds, what is left of a request's body. Ends at once where everything was read. */
export async function drainBody(request: Request, limit: number): Promise<void> {
  const known = opened.get(request);
  try {
    if (known !== undefined) await known();
    else if (request.body !== null && !request.bodyUsed) await drain(request.body.getReader({ mode: "byob" }), limit);
  } catch {
    // The sender has closed the connection.
  }
}

/** Bytes per read, into the same buffer again: a new one for each would leave all of a body to the garbage collector. */
const PIECE = 64 << 10;

/** A body of which nothing comes for so long is given up, in milliseconds. */
const STANDSTILL = 10_000;

async function readPiece(reader: ReadableStreamBYOBReader, buffer: Uint8Array<ArrayBuffer>, reception?: Reception) {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const tooSlow = new Promise<never>((_, reject) => {
    const error = new LabelerError("too-slow", `Nothing of the body came for ${STANDSTILL / 1000} s. Send it again.`);
    timer = setTimeout(() => reject(error), STANDSTILL);
  });
  const read = Promise.race([reader.read(buffer), tooSlow]);
  try {
    return await (reception === undefined ? read : reception.wait(read));
  } catch (error) {
    if (error instanceof LabelerError) throw error;
    // Nobody is left to read this, but the log: it is not the labeler's mistake.
    throw new LabelerError("cut-off", "The connection was closed before the whole body had come.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}

/** A piece holds until the next one is asked for. */
async function* counted(
  reader: ReadableStreamBYOBReader,
  reception: Reception,
  { limit, setting }: { readonly limit: number; readonly setting: BodyLimit },
  ended: () => void,
): AsyncGenerator<Uint8Array, void> {
  let buffer = new Uint8Array(PIECE);
  let length = 0;
  for (;;) {
    const { done, value } = await readPiece(reader, buffer, reception);
    if (done || value === undefined) return ended();
    buffer = new Uint8Array(value.buffer);
    length += value.length;
    if (length > limit) throw tooLarge(undefined, limit, setting);
    yield value;
  }
}

async function drain(reader: ReadableStreamBYOBReader, limit: number): Promise<void> {
  const end = Date.now() + DRAIN.patience;
  let buffer = new Uint8Array(PIECE);
  for (let drained = 0; drained < DRAIN.limits * limit && Date.now() < end; ) {
    const { done, value } = await readPiece(reader, buffer);
    if (done || value === undefined) return;
    drained += value.length;
    buffer = new Uint8Array(value.buffer);
  }
  await reader.cancel("more than is allowed");
}
