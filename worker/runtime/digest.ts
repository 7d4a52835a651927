/** SHA-256: the id of an image, whoever asks for it. */

/** The digest of bytes that are there. @returns 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** The digest of bytes that come in pieces. */
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
