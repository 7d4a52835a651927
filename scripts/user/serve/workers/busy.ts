/** The answer to a request that no worker has answered, in the words and the form of the labeler's own problems. */
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
