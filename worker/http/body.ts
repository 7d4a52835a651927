/** Reads the body of a request in chunks, which are counted as they arrive and never exceed the limit. */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import { ByteStream } from "../runtime/byte-stream.ts";
import { Reception } from "../runtime/reception.ts";
import { settingsOf } from "../settings/settings.ts";
import { group } from "../validation/words.ts";
import type { AppEnv } from "./app-env.ts";
import { decodedBody, encodingOf } from "./content-encoding.ts";

export interface Body {
  readonly stream: ByteStream;
  /** The size in bytes, if the request has a Content-Length. */
  readonly size: number | undefined;
  /** How fast it arrives. */
  readonly reception: Reception;
}

/** The setting that bounds a body. */
export type BodyLimit = "MAX_BODY_BYTES" | "MAX_FORM_BYTES";

/**
 * The error for a body over a limit.
 *
 * @param size In bytes; undefined if it is not known.
 * @param setting The setting that has the limit.
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
 * Some clients read the answer only after they have sent everything, and lose it if the connection is closed before. So the
 * rest of a body is read and discarded, up to `limits` times its limit and for `patience` milliseconds.
 */
const DRAIN = { limits: 2, patience: 30_000 };

/** Functions that drain the bodies that were opened. */
const opened = new WeakMap<Request, () => Promise<void>>();

/**
 * Counts the chunks of a body that it is called with.
 *
 * @throws LabelerError of kind body-too-large as soon as they have more bytes than the setting allows.
 */
export function countUpTo(limit: number, setting: BodyLimit): (chunk: Uint8Array) => Promise<void> {
  let length = 0;
  return async (chunk) => {
    length += chunk.length;
    if (length > limit) throw tooLarge(undefined, limit, setting);
  };
}

/**
 * Opens the body of a request, which is decompressed as it is read.
 *
 * @param setting The limit of the body, both as it arrives and decompressed.
 * @throws LabelerError of kind body-too-large, at once if Content-Length exceeds the limit, else from the chunks; of kind
 *   unsupported-encoding for a Content-Encoding that is not supported.
 */
export function openBody(c: Context<AppEnv>, setting: BodyLimit = "MAX_BODY_BYTES"): Body {
  const request = c.req.raw;
  const limit = settingsOf(c.env)[setting];
  const encoding = encodingOf(request.headers.get("content-encoding"));
  const declared = request.headers.get("content-length");
  const size = declared === null ? undefined : Number(declared);
  if (size !== undefined && size > limit) throw tooLarge(size, limit, setting);
  const reception = new Reception();
  if (request.body === null) return { stream: new ByteStream([]), size, reception };
  const reader = request.body.getReader({ mode: "byob" });
  let ended = false;
  opened.set(request, () => (ended ? Promise.resolve() : drain(reader, limit)));
  const end = () => {
    ended = true;
  };
  const received = new ByteStream(receive(reader, reception, end)).tap(countUpTo(limit, setting));
  if (encoding === undefined) return { stream: received, size, reception };
  const decoded = new ByteStream(decodedBody(received, encoding, c.get("execute")));
  return { stream: decoded.tap(countUpTo(limit, setting)), size: undefined, reception };
}

/** Reads the rest of a request's body, within bounds. Returns at once if everything was read. */
export async function drainBody(request: Request, limit: number): Promise<void> {
  const known = opened.get(request);
  try {
    if (known !== undefined) await known();
    else if (request.body !== null && !request.bodyUsed) await drain(request.body.getReader({ mode: "byob" }), limit);
  } catch {
    // The sender has closed the connection.
  }
}

/** Bytes per read. The buffer is reused: a new one for each read would leave the whole body to the garbage collector. */
const CHUNK_BYTES = 64 << 10;

/** A body is given up if nothing of it arrives for so long, in milliseconds. */
const STANDSTILL = 10_000;

async function readChunk(reader: ReadableStreamBYOBReader, buffer: Uint8Array<ArrayBuffer>, reception?: Reception) {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const tooSlow = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new LabelerError("too-slow", `Nothing of the body came for ${STANDSTILL / 1000} s. Send it again.`));
    }, STANDSTILL);
  });
  const read = Promise.race([reader.read(buffer), tooSlow]);
  try {
    return await (reception === undefined ? read : reception.wait(read));
  } catch (error) {
    if (error instanceof LabelerError) throw error;
    // Only the log will have this error, since the client is gone. It is not the labeler's mistake.
    throw new LabelerError("cut-off", "The connection was closed before the whole body had come.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Each chunk is valid until the next one is requested. */
async function* receive(
  reader: ReadableStreamBYOBReader,
  reception: Reception,
  ended: () => void,
): AsyncGenerator<Uint8Array, void> {
  let buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const { done, value } = await readChunk(reader, buffer, reception);
    if (done || value === undefined) return ended();
    buffer = new Uint8Array(value.buffer);
    yield value;
  }
}

async function drain(reader: ReadableStreamBYOBReader, limit: number): Promise<void> {
  const end = Date.now() + DRAIN.patience;
  let buffer = new Uint8Array(CHUNK_BYTES);
  for (let drained = 0; drained < DRAIN.limits * limit && Date.now() < end; ) {
    const { done, value } = await readChunk(reader, buffer);
    if (done || value === undefined) return;
    drained += value.length;
    buffer = new Uint8Array(value.buffer);
  }
  await reader.cancel("more than is allowed");
}
