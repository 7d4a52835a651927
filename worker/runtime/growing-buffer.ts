/** Bytes that are put together as they come, in memory that is reserved before it is taken. */

/** Awaited before so many more bytes of memory are taken. */
export type Reserve = (bytes: number) => Promise<void>;

/** Memory of the first piece, at least, in bytes. */
const FIRST = 4 << 10;

/** Memory for all of a known size is taken when so much of it has come: whoever only announces bytes takes none. */
const BELIEVED = 1 / 16;

export interface GrowingBufferOptions {
  /** How many bytes will come, if that is known; it may be wrong. */
  readonly expected?: number | undefined;
  /** No more bytes than these are added. */
  readonly most?: number;
  readonly reserve?: Reserve | undefined;
}

export class GrowingBuffer {
  readonly #expected: number;
  readonly #most: number;
  readonly #reserve: Reserve | undefined;
  #buffer = new Uint8Array();
  #length = 0;

  constructor({ expected = 0, most = Number.POSITIVE_INFINITY, reserve }: GrowingBufferOptions = {}) {
    this.#expected = expected;
    this.#most = most;
    this.#reserve = reserve;
  }

  get length(): number {
    return this.#length;
  }

  /** Everything that was added: a view that later additions may leave behind. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a copy of a piece. */
  async add(piece: Uint8Array): Promise<void> {
    const needed = this.#length + piece.length;
    if (needed > this.#buffer.length) {
      const capacity = this.#capacityFor(needed);
      await this.#reserve?.(capacity - this.#buffer.length);
      const larger = new Uint8Array(capacity);
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = needed;
  }

  #capacityFor(needed: number): number {
    const doubled = Math.max(needed, Math.min(this.#most, Math.max(FIRST, 2 * this.#buffer.length)));
    if (needed > this.#expected) return doubled;
    return needed >= BELIEVED * this.#expected ? this.#expected : Math.min(doubled, this.#expected);
  }
}
