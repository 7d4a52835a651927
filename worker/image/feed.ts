/** A file's pieces as codecs.wasm takes them: cut to size, and kept as long as they may be wanted again. */
import type { ByteStream } from "../runtime/byte-stream.ts";

/** Bytes per call: the instance keeps what it has not yet taken. */
const PIECE = 64 << 10;

/** A header is this long at most, if the image is to be begun again in a large instance. */
const MAX_REPLAY = 4 << 20;

export class Feed {
  readonly #pieces: ByteStream;
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  #again: Uint8Array[] = [];
  #rest: Uint8Array = new Uint8Array();
  #skip: number;

  /** @param skip Bytes in front of the file, which are no part of it. */
  constructor(pieces: ByteStream, skip = 0) {
    this.#pieces = pieces;
    this.#skip = skip;
  }

  /** The next piece, at most PIECE bytes; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const again = this.#again.shift();
    if (again !== undefined) return again;
    while (this.#rest.length === 0) {
      const piece = await this.#pieces.next();
      if (piece === undefined) return undefined;
      this.#rest = piece.subarray(this.#skip);
      this.#skip -= piece.length - this.#rest.length;
    }
    const piece = this.#rest.subarray(0, PIECE);
    this.#rest = this.#rest.subarray(PIECE);
    this.#kept?.push(piece.slice()); // the next one may come in the same memory
    this.#keptBytes += piece.length;
    if (this.#keptBytes > MAX_REPLAY) this.#kept = undefined;
    return piece;
  }

  /** What was given so far is not wanted again. */
  forget(): void {
    this.#kept = undefined;
  }

  /** Begins again with the first piece, if all are still there. @returns Whether they are. */
  rewind(): boolean {
    if (this.#kept === undefined) return false;
    this.#again = [...this.#kept];
    return true;
  }
}
