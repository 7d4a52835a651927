/** Image sources for images that are already in memory. */
import { ByteStream } from "../runtime/byte-stream.ts";
import type { ImageSource } from "./types.ts";

/** A large image in memory is decoded in steps of this many bytes. */
const STEP = 64 << 10;

/** Yields bytes in steps, so that other requests are scheduled in between: decoding at once would block them all. */
async function* steps(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += STEP) {
    yield bytes.subarray(at, at + STEP);
  }
}

/** An image whose file is in memory. */
export const imageFrom = (bytes: Uint8Array<ArrayBuffer>): ImageSource => ({
  stream: new ByteStream(bytes.length > STEP ? steps(bytes) : [bytes]),
  size: bytes.length,
  bytes,
});
