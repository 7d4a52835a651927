/** Scans the bytes of a list that may contain only numbers, in stretches, for json-scan.ts. */
import { LabelerError } from "../errors.ts";
import { beyond, type JsonLimits } from "./json-limits.ts";

const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** The bytes that may occur in a number. */
const NUMERIC = new Uint8Array(256);
for (const character of "0123456789+-.eE") NUMERIC[character.charCodeAt(0)] = 1;

/** The first letters of NaN and Infinity, which some encoders write. */
const NOT_FINITE: readonly (number | undefined)[] = [0x4e, 0x49];

export class NumberListScan {
  readonly #bytes: Uint8Array;
  readonly #limits: JsonLimits;
  /** The offset of the first bracket. */
  readonly start: number;
  /** The offset up to which the list was scanned. */
  at: number;
  /** The nesting depth at `at`, counted from the root of the JSON. */
  #depth: number;
  readonly #outside: number;
  #numbers = 0;
  #previous: "open" | "comma" | "number" | "close" = "comma";

  /** @param depth The nesting depth of the list. */
  constructor(bytes: Uint8Array, start: number, depth: number, limits: JsonLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.start = start;
    this.at = start;
    this.#depth = depth;
    this.#outside = depth;
  }

  /**
   * Scans on, up to an offset.
   *
   * @returns "other" if there is anything but numbers and non-empty lists of them.
   * @throws LabelerError that names the limit that the list exceeds.
   */
  advance(end: number): "more" | "complete" | "other" {
    for (; this.at < end; this.at++) {
      const byte = this.#bytes[this.at];
      if (NUMERIC[byte] === 1) {
        if (this.#previous === "close") return "other";
        if (this.#previous !== "number") this.#numbers++;
        this.#previous = "number";
      } else if (byte === COMMA) {
        if (this.#isOpen()) return "other";
        this.#checkCount();
        this.#previous = "comma";
      } else if (byte === OPEN) {
        if (!this.#isOpen()) return "other";
        this.#enter();
      } else if (byte === CLOSE) {
        if (this.#isOpen()) return "other";
        this.#previous = "close";
        if (--this.#depth === this.#outside) {
          this.at++;
          return "complete";
        }
      } else if (NOT_FINITE.includes(byte)) {
        throw this.#notFinite();
      } else if (byte > SPACE) {
        return "other";
      }
    }
    return "more";
  }

  /** Whether a value must follow. */
  #isOpen(): boolean {
    return this.#previous === "open" || this.#previous === "comma";
  }

  #enter(): void {
    const { depth } = this.#limits;
    if (++this.#depth > depth) throw beyond(this.#limits, depth, "levels of lists and objects");
    this.#previous = "open";
  }

  #checkCount(): void {
    const { field, numbers } = this.#limits.tensor ?? { field: "", numbers: 0 };
    if (this.#numbers >= numbers) throw beyond(this.#limits, numbers, `numbers in "${field}"`, "body-too-large");
  }

  #notFinite(): LabelerError {
    const { subject, tensor } = this.#limits;
    const detail = `${subject} has NaN or Infinity in "${tensor?.field}", which JSON does not have. Send numbers.`;
    return new LabelerError("bad-body", detail);
  }
}
