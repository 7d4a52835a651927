/** Answers of the dispatcher itself, as problem details like those of the labeler. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { LabelerError } from "../../../../worker/errors.ts";

/** @param detail What has happened, and what to do. */
export function answerBusy({ url }: IncomingMessage, response: ServerResponse, detail: string): void {
  const { kind, title, status, retryAfter } = new LabelerError("busy", detail);
  const problem = { type: `urn:edge-labeler:problem:${kind}`, title, status, detail };
  // eKuiper reads JSON and text only.
  const type = url?.startsWith("/ekuiper/") ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type, "retry-after": `${retryAfter}`, connection: "close" });
  response.end(JSON.stringify(problem));
}

/** What is wrong with requests that cannot be read, by Node's code of the error. */
const UNREADABLE: Readonly<Record<string, readonly [status: string, detail: string]>> = {
  HPE_INVALID_URL: ["400 Bad Request", "The URL has characters that have to be percent-encoded (RFC 3986)."],
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "The head of the request is longer than 128 KB."],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The head of the request did not arrive within 15 s."],
};

/** @param code Node's code of the error. @returns The answer to a request that cannot be read, with its head. */
export function answerToUnreadable(code: string | undefined): string {
  const [line, detail] = UNREADABLE[code ?? ""] ?? ["400 Bad Request", "The request is not HTTP/1.1 (RFC 9112)."];
  const body = JSON.stringify({ type: "about:blank", title: line.slice(4), status: Number(line.slice(0, 3)), detail });
  const head = [`HTTP/1.1 ${line}`, "Content-Type: application/problem+json", `Content-Length: ${body.length}`];
  return [...head, "Connection: close", "", body].join("\r\n");
}
