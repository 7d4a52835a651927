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
  const reader = new BodyReader(request.body);
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
    else if (request.body !== null && !request.bodyUsed) await drain(new BodyReader(request.body), limit);
  } catch {
    // The sender has closed the connection.
  }
}

/** Bytes per read. */
const CHUNK_BYTES = 64 << 10;

/** A body is given up if nothing of it arrives for so long, in milliseconds. */
const STANDSTILL = 10_000;

/** Reads a body, and gives it up at a standstill. One timer serves all reads: one for each would take longer than a read. */
class BodyReader {
  readonly #reader: ReadableStreamBYOBReader;
  /** Empty before the first read. It is reused: a new one for each read would leave the body to the garbage collector. */
  #buffer = new Uint8Array();
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Since when the current read has waited, a time of performance.now(), and what gives it up. */
  #waiting: { readonly since: number; readonly giveUp: (reason: unknown) => void } | undefined;

  constructor(body: ReadableStream) {
    this.#reader = body.getReader({ mode: "byob" });
  }

  /**
   * @returns A chunk, which is valid until the next one is requested; undefined at the end.
   * @throws LabelerError of kind too-slow or cut-off.
   */
  async next(reception?: Reception): Promise<Uint8Array | undefined> {
    const read = this.#read();
    try {
      const { done, value } = await (reception === undefined ? read : reception.wait(read));
      if (done || value === undefined) {
        clearTimeout(this.#timer);
        return undefined;
      }
      this.#buffer = new Uint8Array(value.buffer);
      return value;
    } catch (error) {
      if (error instanceof LabelerError) throw error;
      // Only the log will have this error, since the client is gone. It is not the labeler's mistake.
      throw new LabelerError("cut-off", "The connection was closed before the whole body had come.", { cause: error });
    } finally {
      this.#waiting = undefined;
    }
  }

  #read(): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
    // A read that was given up has kept its buffer.
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(CHUNK_BYTES);
    return new Promise((resolve, giveUp) => {
      this.#waiting = { since: performance.now(), giveUp };
      this.#timer ??= setTimeout(() => this.#check(), STANDSTILL);
      this.#reader.read(this.#buffer).then(resolve, giveUp);
    });
  }

  #check(): void {
    this.#timer = null;
    if (this.#waiting === undefined) return;
    const { since, giveUp } = this.#waiting;
    const left = STANDSTILL - (performance.now() - since);
    if (left > 0) this.#timer = setTimeout(() => this.#check(), left);
    else giveUp(new LabelerError("too-slow", `Nothing of the body came for ${STANDSTILL / 1000} s. Send it again.`));
  }

  async cancel(reason: string): Promise<void> {
    clearTimeout(this.#timer);
    await this.#reader.cancel(reason);
  }
}

/** Each chunk is valid until the next one is requested. */
async function* receive(reader: BodyReader, reception: Reception, ended: () => void): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const chunk = await reader.next(reception);
    if (chunk === undefined) return ended();
    yield chunk;
  }
}

async function drain(reader: BodyReader, limit: number): Promise<void> {
  const end = Date.now() + DRAIN.patience;
  for (let drained = 0; drained < DRAIN.limits * limit && Date.now() < end; ) {
    const chunk = await reader.next();
    if (chunk === undefined) return;
    drained += chunk.length;
  }
  await reader.cancel("more than is allowed");
}
