/** Reads a large file from a stream into memory. */

/**
 * The size of a read, in bytes. A file from a disk arrives in chunks of 4 KB, whose objects cost more than their
 * contents.
 */
const AT_ONCE = 128 << 10;

/**
 * Reads all of a byte stream into one buffer. `Response.arrayBuffer()` would keep all chunks and then copy them into
 * another buffer, which takes twice the memory and twice the time.
 *
 * @param expected The expected number of bytes; it may be wrong.
 */
export async function readWhole(
  stream: ReadableStream<Uint8Array>,
  expected: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader({ mode: "byob" });
  let whole = new Uint8Array(expected);
  let length = 0;
  let room = new Uint8Array(AT_ONCE);
  for (;;) {
    const { value: chunk, done } = await reader.readAtLeast(room.length, room);
    if (chunk !== undefined) {
      if (length + chunk.length > whole.length) {
        const larger = new Uint8Array(2 * (length + chunk.length));
        larger.set(whole.subarray(0, length));
        whole = larger;
      }
      whole.set(chunk, length);
      length += chunk.length;
      room = new Uint8Array(chunk.buffer as ArrayBuffer);
    }
    if (done) return whole.subarray(0, length);
  }
}
