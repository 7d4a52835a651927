/**
 * A list of numbers in a JSON body, nested or flat, that stays bytes until it is read into a typed array in stretches.
 */
import type { Execute } from "../runtime/execute.ts";

const COMMA = 0x2c;

/** In bytes: JSON.parse() takes about a millisecond for this many. */
const STRETCH = 64 << 10;

export class NumberList {
  readonly #bytes: Uint8Array;

  /** @param bytes From the first bracket to the last. The brackets match, and no nested list is empty. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The end of a stretch: a comma, or the end of the list. */
  #endOf(start: number): number {
    const window = this.#bytes.subarray(start, start + STRETCH);
    if (start + window.length === this.#bytes.length) return this.#bytes.length;
    const comma = window.lastIndexOf(COMMA);
    if (comma < 0) throw new SyntaxError("a number is too long");
    return start + comma;
  }

  /**
   * Reads the numbers in row-major order.
   *
   * @param target Receives the numbers. If there are more than fit, reading stops soon after it is full.
   * @param valid Whether a number is allowed in the list.
   * @returns How many numbers were read, and the first one that is not allowed.
   * @throws SyntaxError if the list is not valid JSON.
   */
  async readInto(
    target: Uint8Array | Float32Array,
    valid: (value: number) => boolean,
    execute: Execute,
  ): Promise<{ readonly count: number; readonly invalid?: number }> {
    const decoder = new TextDecoder();
    let count = 0;
    let invalid: number | undefined;
    const read = (start: number, end: number): void => {
      const text = decoder.decode(this.#bytes.subarray(start, end));
      // Rows follow each other in memory, so a bracket only says that the next value starts a new row.
      const values: number[] = JSON.parse(`[${text.replace(/[[\]]/g, " ")}]`);
      for (const value of values) {
        if (!valid(value)) invalid ??= value;
        if (count < target.length) target[count] = value;
        count++;
      }
    };
    for (let start = 0; start < this.#bytes.length && invalid === undefined && count <= target.length; ) {
      const end = this.#endOf(start);
      await execute(1, () => read(start, end));
      start = end + 1;
    }
    return invalid === undefined ? { count } : { count, invalid };
  }
}
