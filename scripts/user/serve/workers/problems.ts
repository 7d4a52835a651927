/** Answers of the dispatcher itself, as problem details like those of the labeler. */
import { LabelerError } from "../../../../worker/errors.ts";
import type { Unreadable } from "./message-head.ts";

const answer = (line: string, type: string, headers: readonly string[], body: string): string =>
  [
    `HTTP/1.1 ${line}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    "Connection: close",
    "",
    body,
  ].join("\r\n");

/**
 * The answer to a request that no worker could answer, with its head.
 *
 * @param target Of the request.
 * @param detail What has happened, and what to do.
 */
export function answerBusy(target: string, detail: string): string {
  const { kind, title, status, retryAfter } = new LabelerError("busy", detail);
  const problem = { type: `urn:edge-labeler:problem:${kind}`, title, status, detail };
  // eKuiper reads JSON and text only.
  const type = target.startsWith("/ekuiper/") ? "application/json" : "application/problem+json";
  return answer(`${status} Service Unavailable`, type, [`Retry-After: ${retryAfter}`], JSON.stringify(problem));
}

const UNREADABLE: Readonly<Record<Unreadable, readonly [line: string, detail: string]>> = {
  syntax: ["400 Bad Request", "The request is not HTTP/1.1 (RFC 9112)."],
  url: ["400 Bad Request", "The URL has characters that have to be percent-encoded (RFC 3986)."],
  "too long": ["431 Request Header Fields Too Large", "The head of the request is longer than 128 KB."],
  "too slow": ["408 Request Timeout", "The head of the request did not arrive within 15 s."],
};

/** The answer to a request that cannot be read, with its head. */
export function answerToUnreadable(why: Unreadable): string {
  const [line, detail] = UNREADABLE[why];
  const problem = { type: "about:blank", title: line.slice(4), status: Number(line.slice(0, 3)), detail };
  return answer(line, "application/problem+json", [], JSON.stringify(problem));
}

/** The answer to CONNECT, which only proxies serve. */
export const METHOD_NOT_ALLOWED = "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
