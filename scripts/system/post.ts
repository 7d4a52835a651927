/**
 * Posts bytes over HTTP. Node's fetch would do the same, but loading it takes a command longer than all its other work.
 */
import type { ClientRequest, IncomingMessage } from "node:http";

export interface Answer {
  readonly status: number;
  /** The value of a header, by its name in lower case. */
  header(name: string): string | undefined;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface PostOptions {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
  /** How long the answer may take, in milliseconds. */
  readonly timeout: number;
}

/** Why a connection has failed. A name of several addresses has a reason for each of them. */
function reasonOf(error: Error): string {
  const reasons = error instanceof AggregateError ? error.errors.map(({ message }: Error) => message) : [error.message];
  return reasons.join(", ");
}

async function readAll(message: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Waits for the answer, which may come before the body was sent: what happens to the rest of the body is ignored then. */
function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
  });
}

/** @throws Error whose message is the reason why the server did not answer. Redirections are not followed. */
export async function post(url: string, { body, headers, timeout }: PostOptions): Promise<Answer> {
  const { request } = await (url.startsWith("https:") ? import("node:https") : import("node:http"));
  for (;;) {
    const sent = request(url, { method: "POST", headers, signal: AbortSignal.timeout(timeout) });
    sent.setHeader("content-length", body.length);
    sent.end(body);
    try {
      const message = await answered(sent);
      const one = (name: string) => message.headers[name];
      return {
        status: message.statusCode ?? 0,
        header: (name) => [one(name)].flat()[0],
        body: await readAll(message),
      };
    } catch (error) {
      // The server has closed a connection that was kept from the request before.
      if (sent.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET") continue;
      throw new Error(reasonOf(error as Error), { cause: error });
    }
  }
}
