/** Finds the end of the body of an HTTP/1 message in the bytes of a connection (RFC 9112, 6 and 7). */
import { type BodyEnd, UnreadableRequest } from "./message-head.ts";

export interface MessageBody {
  /** Whether all of it has been taken. */
  readonly complete: boolean;
  /**
   * Takes the next bytes of the connection.
   *
   * @param content Receives what the body consists of, without what marks its chunks.
   * @returns How many of the bytes belong to the body; the others follow it.
   * @throws UnreadableRequest if chunks are malformed.
   */
  take(bytes: Buffer, content?: (bytes: Buffer) => void): number;
}

class OfLength implements MessageBody {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  take(bytes: Buffer, content?: (bytes: Buffer) => void): number {
    const taken = Math.min(this.#left, bytes.length);
    this.#left -= taken;
    content?.(bytes.subarray(0, taken));
    return taken;
  }
}

const untilTheEnd: MessageBody = {
  complete: false,
  take(bytes, content) {
    content?.(bytes);
    return bytes.length;
  },
};

/** The longest line with the size of a chunk, and the longest trailers, in bytes. */
const MOST = { line: 1024, trailers: 8192 };
const LINE_FEED = 10;
const SIZE = /^([0-9a-fA-F]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/;
const TRAILER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n$/;

class Chunked implements MessageBody {
  #next: "size" | "content" | "end of content" | "trailer" | "nothing" = "size";
  /** Of the content of a chunk, in bytes. */
  #left = 0;
  /** The beginning of a line whose end has not come. */
  #line = "";
  #trailers = 0;

  get complete(): boolean {
    return this.#next === "nothing";
  }

  take(bytes: Buffer, content?: (bytes: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.#next !== "nothing") {
      if (this.#next === "content") {
        const taken = Math.min(this.#left, bytes.length - at);
        content?.(bytes.subarray(at, at + taken));
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) this.#next = "end of content";
        continue;
      }
      const end = bytes.indexOf(LINE_FEED, at);
      const stop = end < 0 ? bytes.length : end + 1;
      this.#line += bytes.toString("latin1", at, stop);
      at = stop;
      if (this.#line.length > (this.#next === "trailer" ? MOST.trailers : MOST.line)) throw new UnreadableRequest();
      if (end < 0) continue;
      this.#takeLine(this.#line);
      this.#line = "";
    }
    return at;
  }

  #takeLine(line: string): void {
    switch (this.#next) {
      case "size": {
        const [, digits] = SIZE.exec(line) ?? [];
        if (digits === undefined) throw new UnreadableRequest();
        this.#left = Number.parseInt(digits, 16);
        this.#next = this.#left === 0 ? "trailer" : "content";
        return;
      }
      case "end of content":
        if (line !== "\r\n") throw new UnreadableRequest();
        this.#next = "size";
        return;
      default:
        this.#trailers += line.length;
        if (line === "\r\n") this.#next = "nothing";
        else if (!TRAILER.test(line) || this.#trailers > MOST.trailers) throw new UnreadableRequest();
    }
  }
}

export function bodyThatEnds(how: BodyEnd): MessageBody {
  if (how === "end of connection") return untilTheEnd;
  return how === "chunked" ? new Chunked() : new OfLength(how.length);
}
