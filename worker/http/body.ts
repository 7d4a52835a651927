/** A request's body as pieces that are counted as they come: never more of it than is allowed. */
import { LabelerError } from "../errors.ts";

export interface Body {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** In bytes, where a Content-Length says so. */
  readonly size: number | undefined;
}

const group = (n: number) => n.toLocaleString("en-US");

/** The error for a body over a limit. @param setting The setting whose limit it is. */
export const tooLarge = (limit: number, size: string, setting: string): LabelerError =>
  new LabelerError(
    "body-too-large",
    `The body has ${size} bytes and the limit is ${group(limit)}. Send a smaller or more compressed image, or raise the setting ${setting}.`,
  );

/**
 * Some clients only read the answer once they have sent everything: that much of a body that is refused, or that has more
 * behind its image, is still taken from them and thrown away. In multiples of the limit.
 */
const DRAIN = 2;

/**
 * @param limit In bytes: the setting MAX_BODY_BYTES.
 * @throws LabelerError of kind body-too-large at once where a Content-Length says so; else the pieces throw it when too
 *   much has come.
 */
export function openBody(request: Request, limit: number): Body {
  const declared = request.headers.get("content-length");
  const size = declared === null ? undefined : Number(declared);
  if (size !== undefined && size > limit) throw tooLarge(limit, group(size), "MAX_BODY_BYTES");
  return { pieces: counted(request.body, limit), size };
}

/** Bytes per read, into the same buffer again: a new one for each would leave all of a body to the garbage collector. */
const PIECE = 64 << 10;

/** A piece holds until the next one is asked for. */
async function* counted(body: ReadableStream<Uint8Array> | null, limit: number): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader({ mode: "byob" });
  let buffer = new Uint8Array(PIECE);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read(buffer);
      if (value !== undefined) buffer = new Uint8Array(value.buffer);
      if (done || value === undefined) return;
      length += value.length;
      if (length > limit) throw tooLarge(limit, `more than ${group(limit)}`, "MAX_BODY_BYTES");
      yield value;
    }
  } finally {
    await drain(reader, buffer, limit);
  }
}

/** Ends at once where everything was read. */
async function drain(reader: ReadableStreamBYOBReader, first: Uint8Array<ArrayBuffer>, limit: number): Promise<void> {
  let buffer = first;
  for (let drained = 0; drained < DRAIN * limit; ) {
    const { done, value } = await reader.read(buffer);
    if (done || value === undefined) return;
    drained += value.length;
    buffer = new Uint8Array(value.buffer);
  }
  await reader.cancel("more than is allowed").catch(() => undefined);
}
