/** A long string of a JSON body that stays bytes: images in base64 are decoded from it without a string of the whole. */

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** In bytes of JSON: decoding one such part takes well below a millisecond. */
const PART = 128 << 10;

export class LongText {
  readonly #bytes: Uint8Array;

  /** @param bytes What is between the quotes. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** In bytes of JSON; escapes make it more than the text has characters. */
  get length(): number {
    return this.#bytes.length;
  }

  /**
   * The text in parts of at most 128 KB.
   *
   * @throws SyntaxError for escapes that JSON does not have.
   */
  *parts(): Generator<string, void> {
    const decoder = new TextDecoder("latin1"); // whatever is not ASCII is not base64 either
    let backslash = this.#bytes.indexOf(BACKSLASH);
    for (let start = 0; start < this.#bytes.length; ) {
      let end = Math.min(start + PART, this.#bytes.length);
      const escaped = backslash >= 0 && backslash < end;
      while (backslash >= 0 && backslash < end) {
        const next = backslash + (this.#bytes[backslash + 1] === LETTER_U ? 6 : 2);
        // An escape is not cut in two; where the text ends within one, JSON.parse() refuses it.
        if (next > end && end < this.#bytes.length) {
          end = backslash;
          break;
        }
        backslash = this.#bytes.indexOf(BACKSLASH, next);
      }
      const text = decoder.decode(this.#bytes.subarray(start, end));
      yield escaped ? JSON.parse(`"${text}"`) : text;
      start = end;
    }
  }
}

/** A text of JSON as readJson() gives it: a string, or where it is long its bytes. */
export type Text = string | LongText;
