/** Reads a request's body into memory, but never more of it than is allowed. */
import { LabelerError } from "../errors.ts";

const tooLarge = (limit: number, size: string) =>
  new LabelerError(
    "body-too-large",
    `The body has ${size}; ${limit} bytes are allowed (MAX_BODY_BYTES). Send a smaller or more compressed image.`,
  );

/**
 * Some clients only read the answer once they have sent everything: that much of a body without a Content-Length is
 * still taken from them, as a multiple of the limit, and thrown away.
 */
const DRAIN = 4;

/**
 * @param limit In bytes.
 * @throws LabelerError of kind body-too-large, at once where a Content-Length says so, else when too much has come.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > limit) throw tooLarge(limit, `${declared} bytes`);
  if (request.body === null) return new Uint8Array();
  // Known length: one buffer, and no second copy to join the chunks.
  const whole = Number.isNaN(declared) ? undefined : new Uint8Array(declared);
  const chunks: Uint8Array[] = [];
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > (whole?.length ?? limit)) {
      await drain(reader, limit);
      throw tooLarge(limit, `more than ${length} bytes`);
    }
    if (whole === undefined) chunks.push(value);
    else whole.set(value, length);
    length += value.length;
  }
  if (whole !== undefined) return whole.subarray(0, length);
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, limit: number): Promise<void> {
  for (let drained = 0; drained < DRAIN * limit; ) {
    const { done, value } = await reader.read();
    if (done) return;
    drained += value.length;
  }
  await reader.cancel("too large").catch(() => undefined);
}
