/** The bytes of a file as they come, with a look ahead. A piece holds until the next one is asked for. */

const EMPTY = new Uint8Array();

export class Pieces {
  readonly #source: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  /** What was looked at and not yet taken. */
  #ahead: Uint8Array = EMPTY;

  constructor(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#source.next();
    return done ? undefined : value;
  }

  /** The first `count` bytes, or all where there are fewer; they are still there to be taken. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#ahead.length < count) {
      const before = this.#ahead.slice(); // a piece holds no longer than until the next one is asked for
      const piece = await this.#pull();
      if (piece === undefined) {
        this.#ahead = before;
        break;
      }
      if (before.length === 0) {
        this.#ahead = piece;
        continue;
      }
      const joined = new Uint8Array(before.length + piece.length);
      joined.set(before);
      joined.set(piece, before.length);
      this.#ahead = joined;
    }
    return this.#ahead.subarray(0, count);
  }

  /** The next bytes; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#ahead.length === 0) return this.#pull();
    const piece = this.#ahead;
    this.#ahead = EMPTY;
    return piece;
  }

  /**
   * Everything that is left, in one array; undefined as soon as that is more than `limit` bytes.
   *
   * @param size How much it will be, if that is known: then one array does without a copy.
   */
  async all({
    limit,
    size = 0,
  }: {
    limit: number;
    size?: number | undefined;
  }): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let whole = new Uint8Array(Math.min(size, limit));
    let length = 0;
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) {
      const needed = length + piece.length;
      if (needed > limit) return undefined;
      if (needed > whole.length) {
        const larger = new Uint8Array(Math.max(needed, Math.min(limit, 2 * whole.length)));
        larger.set(whole.subarray(0, length));
        whole = larger;
      }
      whole.set(piece, length);
      length = needed;
    }
    return whole.subarray(0, length);
  }

  /** Nothing more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
