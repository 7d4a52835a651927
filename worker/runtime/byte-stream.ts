/** The bytes of a file as they come, with a look ahead. A piece holds until the next one is asked for. */
import { GrowingBuffer, type Reserve } from "./growing-buffer.ts";

const EMPTY = new Uint8Array();

export class ByteStream {
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

  /**
   * The first `count` bytes, or all where there are fewer; they are still there to be taken.
   *
   * @param reserve Awaited before memory is taken for what has come.
   */
  async peek(count: number, reserve?: Reserve): Promise<Uint8Array> {
    if (this.#ahead.length === 0) this.#ahead = (await this.#pull()) ?? EMPTY;
    if (this.#ahead.length >= count) return this.#ahead.subarray(0, count);
    const buffer = new GrowingBuffer({ reserve });
    // A piece holds no longer than until the next one is asked for.
    await buffer.add(this.#ahead);
    while (buffer.length < count) {
      const piece = await this.#pull();
      if (piece === undefined) break;
      await buffer.add(piece);
    }
    this.#ahead = buffer.bytes;
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
   * @param size How much it will be, if that is known. @param reserve Awaited before memory is taken for what has come.
   */
  async all({
    limit,
    size,
    reserve,
  }: {
    limit: number;
    size?: number | undefined;
    reserve?: Reserve | undefined;
  }): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const buffer = new GrowingBuffer({ expected: size && Math.min(size, limit), most: limit, reserve });
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) {
      if (buffer.length + piece.length > limit) return undefined;
      await buffer.add(piece);
    }
    return buffer.bytes;
  }

  /**
   * The same bytes, each chunk shown to `see` on its way. The original stream is not to be read any more.
   *
   * @param see A chunk holds until its promise does.
   */
  tap(see: (chunk: Uint8Array) => Promise<void>): ByteStream {
    return new ByteStream(this.#tapped(see));
  }

  async *#tapped(see: (chunk: Uint8Array) => Promise<void>): AsyncGenerator<Uint8Array, void> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
      await see(chunk);
      yield chunk;
    }
  }

  /** Nothing more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
