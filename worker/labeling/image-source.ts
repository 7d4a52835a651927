/** Images that are in memory already, as sources of a pipeline that takes them as they come. */
import { ByteStream } from "../runtime/byte-stream.ts";
import type { ImageSource } from "./types.ts";

/** In bytes: a large image that is in memory already is decoded in steps of this size. */
const STEP = 64 << 10;

/** ByteStream of what is there already, with room for other requests in between: decoding it at once would block them all. */
async function* steps(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += STEP) {
    yield bytes.subarray(at, at + STEP);
  }
}

/** An image whose file is in memory. */
export const imageFrom = (bytes: Uint8Array<ArrayBuffer>): ImageSource => ({
  pieces: new ByteStream(bytes.length > STEP ? steps(bytes) : [bytes]),
  size: bytes.length,
  bytes,
});
