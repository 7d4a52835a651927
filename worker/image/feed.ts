/** Feeds the chunks of a file to codecs.wasm: cut to size, and kept as long as they may be needed again. */
import type { ByteStream } from "../runtime/byte-stream.ts";

/** Bytes per call: the instance keeps bytes that it has not consumed yet. */
const CHUNK_BYTES = 64 << 10;

/** The longest header, in bytes, after which the image can still be restarted in a large instance. */
const MAX_REPLAY = 4 << 20;

export class Feed {
  readonly #stream: ByteStream;
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  #again: Uint8Array[] = [];
  #rest: Uint8Array = new Uint8Array();
  #skip: number;

  /** @param skip The number of bytes in front of the file. */
  constructor(stream: ByteStream, skip = 0) {
    this.#stream = stream;
    this.#skip = skip;
  }

  /** The next chunk, of at most CHUNK_BYTES; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const again = this.#again.shift();
    if (again !== undefined) return again;
    while (this.#rest.length === 0) {
      const chunk = await this.#stream.next();
      if (chunk === undefined) return undefined;
      this.#rest = chunk.subarray(this.#skip);
      this.#skip -= chunk.length - this.#rest.length;
    }
    const chunk = this.#rest.subarray(0, CHUNK_BYTES);
    this.#rest = this.#rest.subarray(CHUNK_BYTES);
    this.#kept?.push(chunk.slice()); // the next chunk may reuse its memory
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > MAX_REPLAY) this.#kept = undefined;
    return chunk;
  }

  /** Drops the chunks that were kept: they are not needed again. */
  forget(): void {
    this.#kept = undefined;
  }

  /** Starts again with the first chunk, if all are still kept. @returns Whether they are. */
  rewind(): boolean {
    if (this.#kept === undefined) return false;
    this.#again = [...this.#kept];
    return true;
  }
}
