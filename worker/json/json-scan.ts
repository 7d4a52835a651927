/**
 * Scans the bytes of JSON before they are parsed: counts their structure against limits, and finds the long texts and
 * tensors that should stay bytes. It takes linear time, stops at the first limit, and yields between stretches. It does
 * not validate: whatever passes is cheap for JSON.parse(), which checks the syntax.
 */
import { LabelerError } from "../errors.ts";
import { LONG_TEXT, LongText } from "../validation/long-text.ts";
import { group } from "../validation/words.ts";
import { beyond, type JsonLimits, MAX_NAME } from "./json-limits.ts";
import { NumberList } from "./number-list.ts";
import { NumberListScan } from "./number-list-scan.ts";

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** In bytes: takes about a millisecond before V8 has optimised the code. */
const STRETCH = 128 << 10;

/** indexOf() is faster than the scan by at least this factor. */
const SKIP = 16;

/** A part of the JSON that stays bytes. */
export interface Span {
  /** The offset of the first byte. */
  readonly start: number;
  /** The offset after the last byte. */
  readonly end: number;
  readonly value: LongText | NumberList;
}

export class JsonScan {
  readonly #bytes: Uint8Array;
  readonly #limits: JsonLimits;
  /** The parts that stay bytes, in their order. */
  readonly spans: Span[] = [];
  #at = 0;
  #mode: "structure" | "text" | "long text" = "structure";
  #depth = 0;
  #values = 1;
  #fields = 0;
  #texts = 0;
  /** The number of bytes in spans. */
  #spanned = 0;
  /** The offsets at which the last string begins and ends, including its quotes. */
  #textStart = 0;
  #textEnd = 0;
  /** Whether the next value is that of the tensor field. */
  #tensorNext = false;
  #numbers: NumberListScan | undefined;

  constructor(bytes: Uint8Array, limits: JsonLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /**
   * Scans the next stretch.
   *
   * @returns Whether it was the last one.
   * @throws LabelerError that names the limit that the JSON exceeds.
   */
  advance(): boolean {
    const { length } = this.#bytes;
    for (let budget = STRETCH; budget > 0 && this.#at < length; ) {
      const from = this.#at;
      if (this.#mode === "long text") {
        this.#longText(Math.min(length, from + budget * SKIP));
        budget -= (this.#at - from) / SKIP;
        continue;
      }
      const end = Math.min(length, from + budget);
      if (this.#numbers !== undefined) this.#list(this.#numbers, end);
      else if (this.#mode === "structure") this.#structure(end);
      else this.#text();
      budget -= Math.max(1, Math.abs(this.#at - from));
    }
    if (this.#at - this.#spanned - this.#unfinished > this.#limits.bytes) {
      const beside = this.#limits.tensor === undefined ? "images" : "images and tensors";
      throw beyond(this.#limits, this.#limits.bytes, `bytes beside its ${beside}`, "body-too-large");
    }
    if (this.#at < length) return false;
    if (this.#unfinished === 0) return true;
    const inside = this.#numbers === undefined ? "a text" : "a list of numbers";
    throw new LabelerError("bad-body", `${this.#limits.subject} ends within ${inside}. Send all of it.`);
  }

  /** The number of bytes that were scanned of a span whose end has not been reached. */
  get #unfinished(): number {
    if (this.#numbers !== undefined) return this.#at - this.#numbers.start;
    return this.#mode === "long text" ? this.#at - this.#textStart : 0;
  }

  #open(): void {
    this.#depth++;
    if (this.#depth > this.#limits.depth) {
      throw beyond(this.#limits, this.#limits.depth, "levels of lists and objects");
    }
    this.#value();
  }

  #value(): void {
    this.#values++;
    if (this.#values > this.#limits.values) throw beyond(this.#limits, this.#limits.values, "values");
  }

  #span(start: number, end: number, value: LongText | NumberList): void {
    this.spans.push({ start, end, value });
    this.#spanned += end - start;
  }

  /** Scans everything outside strings and tensors. */
  #structure(end: number): void {
    for (; this.#at < end; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte <= SPACE) continue;
      const tensor = this.#tensorNext;
      this.#tensorNext = false;
      switch (byte) {
        case QUOTE:
          this.#mode = "text";
          return;
        case COMMA:
          this.#value();
          break;
        case COLON:
          this.#field();
          break;
        case OPEN_LIST:
          if (tensor) {
            this.#numbers = new NumberListScan(this.#bytes, this.#at, this.#depth, this.#limits);
            return;
          }
          this.#open();
          break;
        case OPEN_OBJECT:
          this.#open();
          break;
        case CLOSE_LIST:
        case CLOSE_OBJECT:
          this.#depth--;
      }
    }
  }

  /** Counts a field: the last string was its name. */
  #field(): void {
    const { fields, tensor } = this.#limits;
    if (++this.#fields > fields) throw beyond(this.#limits, fields, "fields");
    const name = this.#bytes.subarray(this.#textStart + 1, this.#textEnd - 1);
    if (name.length > MAX_NAME) throw beyond(this.#limits, MAX_NAME, "bytes in the name of a field");
    this.#tensorNext = tensor?.field.length === name.length && new TextDecoder().decode(name) === tensor.field;
  }

  /** Scans a string from its opening quote, as far as it is short. */
  #text(): void {
    const bytes = this.#bytes;
    const { values, fields } = this.#limits;
    if (++this.#texts > values + fields) throw beyond(this.#limits, values + fields, "texts");
    this.#textStart = this.#at;
    const last = Math.min(bytes.length, this.#at + LONG_TEXT);
    for (let at = this.#at + 1; at < last; at++) {
      const byte = bytes[at];
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) {
        this.#textEnd = at + 1;
        this.#at = at + 1;
        this.#mode = "structure";
        return;
      }
    }
    this.#at = last;
    this.#mode = "long text";
  }

  #longText(end: number): void {
    const found = this.#bytes.subarray(this.#at, end).indexOf(QUOTE);
    if (found < 0) {
      this.#at = end;
      return;
    }
    const quote = this.#at + found;
    // Base64 neither contains a quote nor ends with a backslash.
    if (this.#bytes[quote - 1] === BACKSLASH) {
      throw new LabelerError(
        "bad-body",
        `${this.#limits.subject} has a text of more than ${group(LONG_TEXT)} bytes that is not base64. ${this.#limits.advice}`,
      );
    }
    this.#at = quote + 1;
    this.#textEnd = this.#at;
    this.#span(this.#textStart, this.#at, new LongText(this.#bytes.subarray(this.#textStart + 1, quote)));
    this.#mode = "structure";
  }

  /** Scans a list that may consist only of numbers. */
  #list(list: NumberListScan, end: number): void {
    const outcome = list.advance(end);
    this.#at = list.at;
    if (outcome === "more") return;
    this.#numbers = undefined;
    if (outcome === "complete") {
      this.#span(list.start, list.at, new NumberList(this.#bytes.subarray(list.start, list.at)));
      return;
    }
    // The list is scanned again as an ordinary list. This happens at most once for a list, so the scan stays linear.
    this.#open();
    this.#at = list.start + 1;
  }
}
