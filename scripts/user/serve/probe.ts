/** Asks the labeler whether it lives. */
import { get } from "node:http";

/**
 * Asks /healthz on a connection of its own: one that is kept open would be answered when nobody else can connect any more.
 *
 * @param timeout In milliseconds.
 */
export function isAlive(url: string, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(Math.round(timeout));
    const call = get(`${url}/healthz`, { agent: false, signal }, (response) => {
      response.resume();
      response.once("error", () => resolve(false));
      response.once("close", () => resolve(response.complete && response.statusCode === 200));
    });
    call.once("error", () => resolve(false));
  });
}
