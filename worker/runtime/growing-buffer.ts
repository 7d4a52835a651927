/** Collects chunks as they arrive, in memory that is reserved before it is allocated. */

/** Awaited before this many more bytes of memory are allocated. */
export type Reserve = (bytes: number) => Promise<void>;

/** The smallest first allocation, in bytes. */
const FIRST = 4 << 10;

/** Memory for all of a known size is allocated once this part has arrived: merely announced bytes take no memory. */
const BELIEVED = 1 / 16;

export interface GrowingBufferOptions {
  /** The expected number of bytes, if it is known; it may be wrong. */
  readonly expected?: number | undefined;
  /** The largest number of bytes that are added. */
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

  /** Everything that was added: a view, which a later addition may detach. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a copy of a chunk. */
  async add(chunk: Uint8Array): Promise<void> {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const capacity = this.#capacityFor(needed);
      await this.#reserve?.(capacity - this.#buffer.length);
      // Frees the former memory at once, which would else be in use until the garbage collector finds it.
      this.#buffer = new Uint8Array(this.#buffer.buffer.transfer(capacity));
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }

  /** Frees the memory at once, and not when the garbage collector finds it. Views of it are empty from then on. */
  free(): void {
    this.#buffer.buffer.transfer(0);
    this.#buffer = new Uint8Array();
    this.#length = 0;
  }

  #capacityFor(needed: number): number {
    const doubled = Math.max(needed, Math.min(this.#most, Math.max(FIRST, 2 * this.#buffer.length)));
    if (needed > this.#expected) return doubled;
    return needed >= BELIEVED * this.#expected ? this.#expected : Math.min(doubled, this.#expected);
  }
}
