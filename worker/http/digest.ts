/** The SHA-256 of bytes that come in pieces. */

export class Digest {
  readonly #stream = new crypto.DigestStream("SHA-256");
  readonly #writer = this.#stream.getWriter();
  /** How many bytes came. */
  length = 0;

  /** A piece may be used again as soon as the promise holds. */
  async add(piece: Uint8Array): Promise<void> {
    this.length += piece.length;
    await this.#writer.write(piece);
  }

  /** Ends it. @returns 64 hexadecimal digits. */
  async hex(): Promise<string> {
    await this.#writer.close();
    return new Uint8Array(await this.#stream.digest).toHex();
  }
}
