/** Checks whether the labeler is alive. */
import { get } from "node:http";

/**
 * Requests /healthz on a new connection: a connection that is kept open might still be served when nobody else can
 * connect.
 *
 * @param url Without a slash at the end; `unix:PATH` for a unix socket.
 * @param timeout In milliseconds.
 */
export function isAlive(url: string, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(Math.round(timeout));
    const path = url.startsWith("unix:") ? { socketPath: url.slice("unix:".length), path: "/healthz" } : {};
    const address = url.startsWith("unix:") ? "http://localhost" : url;
    const call = get(`${address}/healthz`, { agent: false, signal, ...path }, (response) => {
      response.resume();
      response.once("error", () => resolve(false));
      response.once("close", () => resolve(response.complete && response.statusCode === 200));
    });
    call.once("error", () => resolve(false));
  });
}
