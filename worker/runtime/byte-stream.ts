/** The chunks of a file as they arrive, with lookahead. A chunk is valid until the next one is requested. */
import { GrowingBuffer, type Reserve } from "./growing-buffer.ts";

const EMPTY = new Uint8Array();

export class ByteStream {
  readonly #source: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  /** Bytes that were peeked at and not yet taken. */
  #ahead: Uint8Array = EMPTY;

  constructor(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#source.next();
    return done ? undefined : value;
  }

  /**
   * Peeks at the first `count` bytes, or at all if there are fewer; next() still returns them.
   *
   * @param reserve Awaited before memory is allocated for the bytes.
   */
  async peek(count: number, reserve?: Reserve): Promise<Uint8Array> {
    if (this.#ahead.length === 0) this.#ahead = (await this.#pull()) ?? EMPTY;
    if (this.#ahead.length >= count) return this.#ahead.subarray(0, count);
    const buffer = new GrowingBuffer({ reserve });
    // A chunk is valid only until the next one is requested, so it is copied.
    await buffer.add(this.#ahead);
    while (buffer.length < count) {
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      await buffer.add(chunk);
    }
    this.#ahead = buffer.bytes;
    return this.#ahead.subarray(0, count);
  }

  /** The next bytes; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#ahead.length === 0) return this.#pull();
    const chunk = this.#ahead;
    this.#ahead = EMPTY;
    return chunk;
  }

  /**
   * Reads all remaining bytes into one array.
   *
   * @param size The expected number of bytes, if it is known. @param reserve Awaited before memory is allocated.
   * @returns Undefined as soon as there are more than `limit` bytes.
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
    try {
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
        if (buffer.length + chunk.length > limit) {
          buffer.free();
          return undefined;
        }
        await buffer.add(chunk);
      }
    } catch (error) {
      buffer.free();
      throw error;
    }
    return buffer.bytes;
  }

  /**
   * Returns a stream of the same bytes that passes each chunk to `see` first. Do not read the original stream any more.
   *
   * @param see Receives a chunk, which is valid until the returned promise settles.
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

  /** Closes the source: no more bytes are wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
