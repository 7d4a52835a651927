/**
 * Unpacks zlib data of a known length, and never more: a bomb is refused after a few megabytes, not after all of it.
 * The platform's DecompressionStream takes half the time of upng's pako, and does not have to warm up.
 */
import { LabelerError } from "../errors.ts";

/** Bytes of input at a time. What one write unpacks to is held by the platform: at most 1032 times this, 17 MB. */
const SLICE = 16_384;

/** How many bytes too many are overlooked, as other decoders overlook them all. */
const SURPLUS = 4096;

async function write(chunks: Iterable<Uint8Array<ArrayBuffer>>, writer: WritableStreamDefaultWriter): Promise<void> {
  const slice = new Uint8Array(SLICE);
  let used = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + SLICE - used);
      slice.set(part, used);
      used += part.length;
      at += part.length;
      if (used < SLICE) continue;
      await writer.write(slice.slice());
      used = 0;
    }
  }
  if (used > 0) await writer.write(slice.subarray(0, used));
  await writer.close();
}

/**
 * @param chunks The zlib stream in parts of any size.
 * @param length How many bytes it has to unpack to.
 * @param what Whose data it is, for the errors.
 * @throws LabelerError "broken-image" if the data is damaged, ends early or goes on for long after `length` bytes.
 */
export async function inflate(
  chunks: Iterable<Uint8Array<ArrayBuffer>>,
  length: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  const reader = readable.getReader({ mode: "byob" });
  // Fails when the data is damaged, which the reader is told too, or when reading stops early, which is no failure.
  write(chunks, writer).catch(() => {});
  const damaged = (cause?: unknown) =>
    new LabelerError("broken-image", `The ${what}'s compressed data is damaged or ends too early. Send it again.`, {
      cause,
    });
  try {
    const { value } = await reader.readAtLeast(length, new Uint8Array(length));
    if (value === undefined || value.length < length) throw damaged();
    const surplus = await reader.readAtLeast(SURPLUS + 1, new Uint8Array(SURPLUS + 1)).catch(() => undefined);
    if ((surplus?.value?.length ?? 0) > SURPLUS)
      throw new LabelerError(
        "broken-image",
        `The ${what}'s data unpacks to more than the ${length} bytes that its header promises. Save the image anew.`,
      );
    return value;
  } catch (error) {
    throw error instanceof LabelerError ? error : damaged(error);
  } finally {
    // Not waited for: the result is there, and neither can fail in a way that matters.
    reader.cancel().catch(() => {});
    writer.abort().catch(() => {});
  }
}
