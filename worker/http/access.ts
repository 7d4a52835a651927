/** Who may call (bearer tokens, RFC 6750), and how often; decided before a byte of the body is read. */
import type { Context, MiddlewareHandler } from "hono";
import { LabelerError } from "../errors.ts";
import { countCall } from "./rate-limit.ts";
import { type AppEnv, settingsOf } from "./settings.ts";

const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

/** What may be called without a token where ANONYMOUS_LABEL says so. */
const ANONYMOUS: readonly string[] = ["POST /label"];

/**
 * The name of the token that a request came with; undefined if it came without, and may.
 *
 * @throws LabelerError of kind unauthorized.
 */
async function clientOf(c: Context<AppEnv>): Promise<string | undefined> {
  const {
    LABELER_TOKEN: token,
    LABELER_TOKENS: hashed,
    ANONYMOUS_LABEL: anonymous,
    METRICS_PUBLIC,
  } = settingsOf(c.env);
  if (!token && !hashed?.length) return undefined;
  const header = c.req.header("authorization");
  if (header === undefined && anonymous && ANONYMOUS.includes(`${c.req.method} ${c.req.path}`)) return undefined;
  if (METRICS_PUBLIC && c.req.path === "/metrics") return undefined;
  const [, given] = header?.match(/^Bearer +([^ ]+) *$/i) ?? [];
  if (given === undefined) {
    throw new LabelerError(
      "unauthorized",
      "Send the header Authorization: Bearer TOKEN, with a token of this labeler.",
    );
  }
  // Digests have one length, as the comparison in constant time needs it, and say nothing of the token's.
  const known = [...(hashed ?? []), ...(token ? [{ name: "LABELER_TOKEN", sha256: await digest(token) }] : [])];
  const actual = await digest(given);
  // Every one is looked at, whichever it is.
  const matches = known.filter(({ sha256 }) => crypto.subtle.timingSafeEqual(sha256, actual));
  if (matches.length === 0) throw new LabelerError("unauthorized", "The bearer token is not one of this labeler's.");
  return matches[0].name;
}

/** Lets a request pass if it may; else it is a 401 or a 429. Whoever guesses at tokens is counted, too. */
export const access: MiddlewareHandler<AppEnv> = async (c, next) => {
  let client: string | undefined;
  try {
    client = await clientOf(c);
  } catch (error) {
    await countCall(c, undefined);
    throw error;
  }
  await countCall(c, client);
  c.set("client", client);
  return next();
};
