/** What HTTP says of answers that are kept: ETag and If-None-Match (RFC 9110), Cache-Status (RFC 9211). */
import type { Context } from "hono";
import type { Labelled } from "../labeling/types.ts";

/** Thrown where the caller has the answer already. */
export class NotModified extends Error {
  readonly etag: string;
  constructor(etag: string) {
    super("not modified");
    this.etag = etag;
  }
}

/** A strong one: the same answer as text has another. */
export const etagOf = (key: string, text: boolean): string => `"${key.slice(0, 40)}${text ? "-text" : ""}"`;

/**
 * Whether a request brings an ETag in If-None-Match. The comparison is weak, as RFC 9110 says: a proxy that compresses an
 * answer weakens its tag. `*` does not match: it asks whether there is any answer, and not for one that the caller has.
 */
export const matches = (c: Context, etag: string): boolean =>
  (c.req.header("if-none-match") ?? "").split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);

/** Whether an answer was found, and where; and why not. */
export function cacheStatus({ key, found }: Labelled): string {
  if (found !== undefined) return `edge-labeler; hit; detail=${found}`;
  return key === undefined ? "edge-labeler; fwd=bypass" : "edge-labeler; fwd=miss; stored";
}
