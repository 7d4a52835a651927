/** The headers of cached answers: ETag and If-None-Match (RFC 9110), Cache-Status (RFC 9211). */
import type { Context } from "hono";
import type { Labelled } from "../labeling/types.ts";

/** Thrown if the caller already has the answer. */
export class NotModified extends Error {
  readonly etag: string;
  constructor(etag: string) {
    super("not modified");
    this.etag = etag;
  }
}

/** A strong ETag; the same answer as text has another one. */
export const etagOf = (key: string, text: boolean): string => `"${key.slice(0, 40)}${text ? "-text" : ""}"`;

/**
 * Whether If-None-Match of a request has an ETag. The comparison is weak, as RFC 9110 requires, since a proxy that
 * compresses an answer weakens its tag. `*` does not match: it does not name an answer that the caller has.
 */
export const matchesEtag = (c: Context, etag: string): boolean =>
  (c.req.header("if-none-match") ?? "").split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);

/** Whether an answer was found in a cache, and where, or why not. */
export function cacheStatus({ key, found }: Labelled): string {
  if (found !== undefined) return `edge-labeler; hit; detail=${found}`;
  return key === undefined ? "edge-labeler; fwd=bypass" : "edge-labeler; fwd=miss; stored";
}
