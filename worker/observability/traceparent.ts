/** The trace that a request belongs to, as its caller names it: the header `traceparent` of W3C Trace Context. */

export interface CallerSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span of the caller: 16 hexadecimal digits. */
  readonly parentId: string;
}

/** Version 00 ends with the flags; a later version may append fields. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/**
 * Reads the header.
 *
 * @returns Undefined if the header is absent or invalid: the specification wants an invalid one to be ignored.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(header: string | undefined): CallerSpan | undefined {
  const [, version, traceId, parentId, more] = TRACEPARENT.exec(header?.trim() ?? "") ?? [];
  if (traceId === undefined || parentId === undefined || (version === "00" && more !== undefined)) return undefined;
  return { traceId, parentId };
}
