/**
 * Reads the heads of HTTP/1 messages (RFC 9112): strictly those of clients, so that dispatcher and worker never disagree where
 * a request ends, and plainly those of workers.
 */

/** Why a request cannot be read. */
export type Unreadable = "syntax" | "url" | "too long" | "too slow";

export class UnreadableRequest extends Error {
  readonly why: Unreadable;

  constructor(why: Unreadable = "syntax") {
    super(`unreadable request: ${why}`);
    this.why = why;
  }
}

/** How the end of a body is found. */
export type BodyEnd = { readonly length: number } | "chunked" | "end of connection";

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** The version: HTTP/1.0 or HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The lines of the headers that are for the worker, without line ends. */
  readonly lines: readonly string[];
  readonly body: Exclude<BodyEnd, "end of connection">;
  /** Whether the client keeps the connection open for another request. */
  readonly keepsAlive: boolean;
}

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** The lines of the headers that are for the client, without line ends and without Transfer-Encoding. */
  readonly lines: readonly string[];
  readonly body: BodyEnd;
}

/** The end of a head. */
export const HEAD_END = "\r\n\r\n";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP\/1\.([01])$/;
const TARGET = /^[\x21-\x7e]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const LENGTH = /^\d{1,15}$/;

/**
 * Headers of one connection, which are not passed on to the next one (RFC 9110, 7.6.1). Names in the header Connection are
 * passed on all the same: a client could have Content-Length removed, and its body taken for another request.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection", "te", "upgrade"]);

/** The members of a list of names in a header. */
const namesIn = (value: string): string[] => value.toLowerCase().split(/[ \t]*,[ \t]*/);

/**
 * @param text The head without the empty line behind it, in Latin-1.
 * @param own The name of a header that clients may not send, in lower case.
 * @throws UnreadableRequest
 */
export function parseRequestHead(text: string, own: string): RequestHead {
  const [first, ...fields] = text.split("\r\n");
  const [, method, target, minor] = REQUEST_LINE.exec(first) ?? [];
  if (target === undefined) throw new UnreadableRequest();
  if (!TARGET.test(target)) throw new UnreadableRequest(CONTROL.test(target) ? "syntax" : "url");
  const isOld = minor === "0";
  const lines: string[] = [];
  const connection: string[] = [];
  let [hosts, length, chunked] = [0, undefined as number | undefined, false];
  for (const line of fields) {
    const colon = line.indexOf(":");
    if (!TOKEN.test(line.slice(0, Math.max(0, colon))) || CONTROL.test(line)) throw new UnreadableRequest();
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (name === "connection") connection.push(...namesIn(value));
    if (HOP_BY_HOP.has(name) || name === own) continue;
    if (name === "expect" && isOld) continue; // such a client does not know interim answers
    if (name === "host") hosts++;
    else if (name === "content-length") {
      if (length !== undefined || !LENGTH.test(value)) throw new UnreadableRequest();
      length = Number(value);
      lines.push(`${line.slice(0, colon)}: ${length}`);
      continue;
    } else if (name === "transfer-encoding") {
      if (chunked || isOld || value.toLowerCase() !== "chunked") throw new UnreadableRequest();
      chunked = true;
      lines.push(`${line.slice(0, colon)}: chunked`);
      continue;
    }
    lines.push(line);
  }
  if (hosts > 1 || (hosts === 0 && !isOld) || (chunked && length !== undefined)) throw new UnreadableRequest();
  const keepsAlive = isOld ? connection.includes("keep-alive") : !connection.includes("close");
  return {
    method,
    target,
    minor: isOld ? 0 : 1,
    lines,
    body: chunked ? "chunked" : { length: length ?? 0 },
    keepsAlive,
  };
}

/**
 * @param text The head without the empty line behind it, in Latin-1.
 * @param method That of the request, on which it depends whether there is a body.
 * @throws Error if it is not the head of an answer.
 */
export function parseAnswerHead(text: string, method: string): AnswerHead {
  const [first, ...fields] = text.split("\r\n");
  const [, digits, reason = ""] = /^HTTP\/1\.\d (\d{3})(?: (.*))?$/.exec(first) ?? [];
  if (digits === undefined) throw new Error("A worker did not answer by HTTP.");
  const status = Number(digits);
  const lines: string[] = [];
  let body: BodyEnd = "end of connection";
  for (const line of fields) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (HOP_BY_HOP.has(name)) continue;
    if (name === "transfer-encoding") {
      body = "chunked";
      continue;
    }
    if (name === "content-length" && body !== "chunked") body = { length: Number(line.slice(colon + 1)) };
    lines.push(line);
  }
  const isEmpty = method === "HEAD" || status < 200 || status === 204 || status === 304;
  return { status, reason, lines, body: isEmpty ? { length: 0 } : body };
}
