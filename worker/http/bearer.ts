/**
 * Tokens in the Authorization header, and the challenge of a refusal. A token is a bearer token (RFC 6750), or the password
 * of HTTP Basic (RFC 7617) for clients that can only put it into their URL. access.ts decides which calls
 * accept which. The challenge never offers Basic: a browser would ask its user for a password and then send it by itself.
 */

import { B64TOKEN } from "../validation/bearer-token.ts";

export interface Credentials {
  /** In lower case: "bearer", "basic". */
  readonly scheme: string;
  /** Undefined if what follows the scheme does not have one token. */
  readonly token: string | undefined;
}

/** Reads an Authorization header. Two of them arrive as one, with a comma in between, and so are not a token. */
export function parseAuthorization(header: string): Credentials {
  const [, scheme = "", rest = ""] = /^([^ ]*)(?: +(.*))?$/.exec(header.trim()) ?? [];
  const lower = scheme.toLowerCase();
  const token = lower === "basic" ? passwordOf(rest) : rest;
  return { scheme: lower, token: token !== undefined && B64TOKEN.test(token) ? token : undefined };
}

/** The part behind the name and its colon. */
function passwordOf(credentials: string): string | undefined {
  try {
    return /^[^:]*:(.*)$/.exec(atob(credentials))?.[1];
  } catch {
    return undefined; // not base64
  }
}

/** The value of WWW-Authenticate. @param error An error with its attributes; absent if the request had no token. */
export const challenge = (error?: { readonly error: string; readonly scope?: string }): string =>
  ['Bearer realm="edge-labeler"', ...Object.entries(error ?? {}).map(([name, value]) => `${name}="${value}"`)].join(
    ", ",
  );
