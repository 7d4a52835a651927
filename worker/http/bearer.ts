/** Bearer tokens as RFC 6750 writes them: in a request's Authorization header, and in the challenge of a refusal. */

import { B64TOKEN } from "../validation/bearer-token.ts";

export interface Credentials {
  /** In lower case: "bearer". */
  readonly scheme: string;
  /** Undefined if what follows the scheme is not one token. */
  readonly token: string | undefined;
}

/** Reads an Authorization header. Two of them arrive as one, with a comma in between, and so are not a token. */
export function parseAuthorization(header: string): Credentials {
  const [, scheme = "", rest = ""] = /^([^ ]*)(?: +(.*))?$/.exec(header.trim()) ?? [];
  return { scheme: scheme.toLowerCase(), token: B64TOKEN.test(rest) ? rest : undefined };
}

/** The value of WWW-Authenticate. @param error With its attributes; absent where the request brought no token at all. */
export const challenge = (error?: { readonly error: string; readonly scope?: string }): string =>
  ['Bearer realm="edge-labeler"', ...Object.entries(error ?? {}).map(([name, value]) => `${name}="${value}"`)].join(
    ", ",
  );
