/** A typed client of the labeler, for TypeScript programs: the types of all calls and answers come from the routes. */
import { hc } from "hono/client";
import type { Api } from "./app.ts";

export interface ClientOptions {
  /** A bearer token of the labeler, if it asks for one. */
  readonly token?: string;
  /** What sends the requests; the global fetch if absent. */
  readonly fetch?: typeof fetch;
}

/**
 * Makes a client.
 *
 * @param url Of the labeler.
 * @example
 * const labeler = labelerClient("http://127.0.0.1:8787");
 * const response = await labeler.label.$post({ query: { top: "3" } }, { init: { body: image } });
 */
export const labelerClient = (url: string, { token, fetch: send }: ClientOptions = {}) =>
  hc<Api>(url, {
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    ...(send !== undefined && { fetch: send }),
  });
