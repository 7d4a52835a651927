/**
 * Splits a multipart body into its parts while it comes: no more of it stands in memory than one chunk from the network. It
 * takes what clients send and RFC 2046 does not: lines that end with LF alone, and a body without its last boundary.
 * What the parts mean is in http/form.ts.
 */
import { LabelerError } from "../../errors.ts";
import type { ByteStream } from "../../runtime/byte-stream.ts";
import type { Execute } from "../../runtime/execute.ts";
import { group } from "../../validation/words.ts";
import { type PartHead, parsePartHead } from "./part-head.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const DASH = 0x2d;

/** A part's headers have at most so many bytes: long file names are in them twice. */
export const MAX_HEAD = 8 << 10;

/** Blanks between a boundary and the end of its line. More make it no boundary. */
const MAX_PADDING = 64;

/** Bytes that are searched in a millisecond, by code that V8 has not optimised yet. */
const BYTES_PER_UNIT = 256 << 10;

const EMPTY = new Uint8Array();

/** The line of a boundary: where it ends, and whether it is the last one. Or whether there is none, or not all of it has come. */
type BoundaryLine = { readonly end: number; readonly last: boolean } | "none" | "incomplete";

interface Scanned {
  /** So many bytes belong to the part. */
  readonly length: number;
  readonly line: BoundaryLine;
}

export class MultipartReader {
  readonly #source: ByteStream;
  readonly #boundary: Uint8Array;
  readonly #execute: Execute;
  /** What has come and was not given out. */
  #held: Uint8Array = EMPTY;
  /** Whether all of the body has come. */
  #complete = false;
  /** Whether `#held` begins with a line: there a boundary needs no line end before it. */
  #atLine = true;
  /** What comes before the first boundary is read as a part, and thrown away. */
  #state: "inside a part" | "before a head" | "ended" = "inside a part";

  /** @param boundary As the Content-Type names it. */
  constructor(source: ByteStream, boundary: string, execute: Execute) {
    this.#source = source;
    this.#boundary = new TextEncoder().encode(`--${boundary}`);
    this.#execute = execute;
  }

  /**
   * Goes on to the next part; what is left of this one is passed over.
   *
   * @returns Undefined behind the last part.
   * @throws LabelerError of kind bad-body if the part's head is too long, or not whole; and what the source throws.
   */
  async next(): Promise<PartHead | undefined> {
    while ((await this.read()) !== undefined);
    if (this.#state === "ended") return undefined;
    const head = await this.#readHead();
    this.#state = head === undefined ? "ended" : "inside a part";
    return head && parsePartHead(head);
  }

  /** The next bytes of this part, which hold until the next call; undefined at its end. @throws What the source throws. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#state === "inside a part") {
      const units = Math.max(0.1, this.#held.length / BYTES_PER_UNIT);
      const { length, line } = await this.#execute(units, () => this.#scan());
      const data = this.#held.subarray(0, length);
      if (typeof line === "object") {
        this.#drop(line.end);
        this.#state = line.last ? "ended" : "before a head";
      } else {
        this.#drop(length);
        if (length > 0) this.#atLine = false;
        else if (!(await this.#pull())) this.#state = "ended";
      }
      if (length > 0) return data;
    }
    return undefined;
  }

  #drop(length: number): void {
    this.#held = this.#held.subarray(length);
  }

  /** Waits for more of the body. @returns Whether there is something new to look at. */
  async #pull(): Promise<boolean> {
    if (this.#complete) return false;
    const rest = this.#held.slice(); // asking for the next chunk takes the memory of this one away, also at the end
    this.#held = rest;
    const chunk = await this.#source.next();
    if (chunk === undefined) {
      this.#complete = true;
      return rest.length > 0;
    }
    if (rest.length === 0) {
      this.#held = chunk;
      return true;
    }
    this.#held = new Uint8Array(rest.length + chunk.length);
    this.#held.set(rest);
    this.#held.set(chunk, rest.length);
    return true;
  }

  /** Looks for the boundary's line in what has come. No byte is compared with it twice, since it has no line feed in it. */
  #scan(): Scanned {
    const held = this.#held;
    const first = this.#atLine ? this.#lineAt(0) : "none";
    if (first !== "none") return { length: 0, line: first };
    // Not by indexOf(), which takes long where every byte is a line feed.
    for (let at = 0; at < held.length; at++) {
      if (held[at] !== LINE_FEED || (at + 1 < held.length && held[at + 1] !== DASH)) continue;
      const line = this.#lineAt(at + 1);
      if (line === "none") continue;
      // The line end before a boundary belongs to it.
      return { length: held[at - 1] === CARRIAGE_RETURN ? at - 1 : at, line };
    }
    const endsOpen = !this.#complete && held[held.length - 1] === CARRIAGE_RETURN;
    return { length: endsOpen ? held.length - 1 : held.length, line: "none" };
  }

  #lineAt(start: number): BoundaryLine {
    const held = this.#held;
    const boundary = this.#boundary;
    const incomplete = this.#complete ? "none" : "incomplete";
    const compared = Math.min(boundary.length, held.length - start);
    for (let i = 0; i < compared; i++) if (held[start + i] !== boundary[i]) return "none";
    if (compared < boundary.length) return incomplete;
    let at = start + boundary.length;
    if (held[at] === DASH) {
      if (at + 1 === held.length) return incomplete;
      return held[at + 1] === DASH ? { end: at + 2, last: true } : "none";
    }
    const mostPadding = at + MAX_PADDING;
    while (at < mostPadding && (held[at] === SPACE || held[at] === TAB)) at++;
    if (held[at] === CARRIAGE_RETURN) at++;
    if (at >= held.length) return this.#complete ? { end: held.length, last: true } : "incomplete";
    return held[at] === LINE_FEED ? { end: at + 1, last: false } : "none";
  }

  /** The bytes before the next empty line; undefined where nothing but white space is left. */
  async #readHead(): Promise<Uint8Array | undefined> {
    for (;;) {
      const held = this.#held;
      let line = 0;
      for (let at = held.indexOf(LINE_FEED); at >= 0 && at < MAX_HEAD; at = held.indexOf(LINE_FEED, line)) {
        if (at === line || (at === line + 1 && held[line] === CARRIAGE_RETURN)) {
          this.#drop(at + 1);
          this.#atLine = true;
          return held.subarray(0, line);
        }
        line = at + 1;
      }
      if (held.length > MAX_HEAD) {
        throw new LabelerError(
          "bad-body",
          `The head of a part of the form has more than ${group(MAX_HEAD)} bytes, which is the limit. Shorten its file name.`,
        );
      }
      if (await this.#pull()) continue;
      if (this.#held.every((byte) => byte <= SPACE)) return undefined;
      throw new LabelerError("bad-body", "The form ends within the head of a part. Send all of it.");
    }
  }
}
