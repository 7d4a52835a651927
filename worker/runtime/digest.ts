/** SHA-256 of bytes in memory or in a stream; it identifies an image. */

/** The digest of bytes in memory. @returns 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The digest of bytes that arrive in chunks. */
export class Digest {
  readonly #stream = new crypto.DigestStream("SHA-256");
  readonly #writer = this.#stream.getWriter();
  /** The number of bytes so far. */
  length = 0;

  /** Adds a chunk, whose memory may be reused as soon as the promise resolves. */
  async add(chunk: Uint8Array): Promise<void> {
    this.length += chunk.length;
    await this.#writer.write(chunk);
  }

  /** Finishes the digest. @returns 64 hexadecimal digits. */
  async hex(): Promise<string> {
    await this.#writer.close();
    return new Uint8Array(await this.#stream.digest).toHex();
  }
}
