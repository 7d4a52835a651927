/** An HTTP call that one client of npm run bench:fair makes, and what came of it. */
import { type Agent, request } from "node:http";

export interface CallOptions {
  readonly body?: Buffer;
  readonly contentType?: string;
  /** The client's own address on loopback: clients with the same one may be taken for one client. */
  readonly from: string;
  /** Whose connections are used again; a new connection unless set. */
  readonly agent?: Agent;
}

export interface Answer {
  /** "200", or why there is none. */
  readonly status: string;
  /** From sending to the last byte of the answer, in milliseconds. */
  readonly ms: number;
  /** After how many seconds to come again, if the answer says so. */
  readonly retryAfter: number;
}

/** Never rejects: a call that fails has its reason as its status. */
export function call(url: string, { body, contentType, from, agent }: CallOptions): Promise<Answer> {
  const begin = performance.now();
  return new Promise((resolve) => {
    const end = (status: string, retryAfter = 0) => resolve({ status, ms: performance.now() - begin, retryAfter });
    const headers = contentType === undefined ? {} : { "content-type": contentType };
    const outgoing = request(url, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? headers : { ...headers, "content-length": body.length },
      localAddress: from,
      agent: agent ?? false,
    });
    outgoing.once("response", (response) => {
      response.resume();
      response.once("end", () => end(`${response.statusCode}`, Number(response.headers["retry-after"] ?? 0)));
      response.once("error", ({ message }) => end(`broken off: ${message}`));
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) => end(`failed: ${error.code ?? error.message}`));
    outgoing.end(body);
  });
}
