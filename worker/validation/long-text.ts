/** A long string of a JSON body that stays bytes: images in base64 are decoded from it without a string of the whole. */

/** A string of more bytes is a long text: it is kept as bytes, and only base64 may be so long. */
export const LONG_TEXT = 1024;

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** "\\u002b", in bytes. */
const LONGEST_ESCAPE = 6;

/** The size of a part, in bytes of JSON: decoding one takes well below a millisecond. */
const PART = 128 << 10;

export class LongText {
  readonly #bytes: Uint8Array;

  /** @param bytes What is between the quotes. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The length in bytes of JSON; escapes make it larger than the number of characters. */
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
    for (let start = 0; start < this.#bytes.length; ) {
      const end = this.#endOf(start);
      const part = this.#bytes.subarray(start, end);
      const text = decoder.decode(part);
      yield part.includes(BACKSLASH) ? JSON.parse(`"${text}"`) : text;
      start = end;
    }
  }

  /** Where a part ends: not within an escape, unless the whole text ends there, which JSON.parse() refuses. */
  #endOf(start: number): number {
    const end = start + PART;
    if (end >= this.#bytes.length) return this.#bytes.length;
    const tail = this.#bytes.subarray(end - LONGEST_ESCAPE, end).lastIndexOf(BACKSLASH);
    if (tail < 0) return end;
    const last = end - LONGEST_ESCAPE + tail;
    let first = last;
    while (first > start && this.#bytes[first - 1] === BACKSLASH) first--;
    // Of a run of backslashes every second one is escaped.
    if ((last - first) % 2 === 1) return end;
    const escapeEnd = last + (this.#bytes[last + 1] === LETTER_U ? LONGEST_ESCAPE : 2);
    return escapeEnd > end ? last : end;
  }
}

/** A text of JSON as readJson() gives it: a string, or where it is long its bytes. */
export type Text = string | LongText;
