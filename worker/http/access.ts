/** Decides who may call (by tokens and their scopes) and how often, before a byte of the body is read. */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { LabelerError } from "../errors.ts";
import { SCOPES, type Scope } from "../settings/scopes.ts";
import { type Settings, settingsOf } from "../settings/settings.ts";
import { hasToken, PLAIN_TOKEN } from "../settings/token-settings.ts";
import type { AppEnv } from "./app-env.ts";
import { challenge, parseAuthorization } from "./bearer.ts";
import { countCall } from "./rate-limit.ts";
import { needOf } from "./scopes.ts";

interface Token {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

const callOf = (c: Context<AppEnv>) => `${c.req.method} ${c.req.path}`;

/** The calls that need no token if ANONYMOUS_LABEL allows it. */
const ANONYMOUS: readonly string[] = ["POST /label"];

/**
 * The calls that accept the token as the password of HTTP Basic, since some releases of eKuiper make this one without its
 * headers. A browser sends such passwords by itself, so no other call accepts them.
 */
const PASSWORD: readonly string[] = ["POST /ekuiper/sink"];

/** Whether a request needs no token although the labeler has tokens. */
function isPublic(c: Context<AppEnv>, { ANONYMOUS_LABEL, METRICS_PUBLIC }: Settings): boolean {
  if (METRICS_PUBLIC && c.req.path === "/metrics") return true;
  // A token that is wrong is refused even here: its owner would otherwise never learn of it.
  const without = c.req.header("authorization") === undefined;
  return ANONYMOUS_LABEL && without && ANONYMOUS.includes(callOf(c));
}

/** Why a request is refused: a sentence for people, and a code for programs if the request had a token. */
interface Refusal {
  readonly detail: string;
  readonly error?: { readonly error: string };
}

/** The token of a request, or why the request is refused; neither if it has no token and needs none. */
async function identify(c: Context<AppEnv>): Promise<{ readonly token?: Token; readonly refusal?: Refusal }> {
  const settings = settingsOf(c.env);
  const { LABELER_TOKEN: plain, LABELER_TOKENS: hashed } = settings;
  if (!hasToken(settings) || isPublic(c, settings)) return {};
  const { scheme, token: given } = parseAuthorization(c.req.header("authorization") ?? "");
  if (scheme !== "bearer" && !(scheme === "basic" && PASSWORD.includes(callOf(c)))) {
    const only = scheme === "basic" ? ` Only ${PASSWORD} accepts HTTP Basic.` : "";
    const detail = `Send the header Authorization: Bearer TOKEN, with a token of this labeler.${only}`;
    return { refusal: { detail } };
  }
  const invalid = (detail: string) => ({ refusal: { detail, error: { error: "invalid_token" } } });
  if (given === undefined)
    return invalid(`The ${scheme} token is not one of this labeler's, and not even a token (RFC 6750).`);
  // Digests all have the same length, which a comparison in constant time needs, and hide the length of the token.
  const known = [
    ...(plain == null ? [] : [{ name: PLAIN_TOKEN, scopes: SCOPES, sha256: await digest(plain) }]),
    ...(hashed ?? []),
  ];
  const actual = await digest(given);
  // All of them are compared, so that the time does not tell which one matched.
  const [token] = known.filter(({ sha256 }) => crypto.subtle.timingSafeEqual(sha256, actual));
  return token === undefined ? invalid(`The ${scheme} token is not one of this labeler's.`) : { token };
}

/** @throws LabelerError of kind insufficient-scope. */
function checkScope(c: Context<AppEnv>, { name, scopes }: Token, need: Scope): void {
  if (scopes.includes(need)) return;
  c.header("www-authenticate", challenge({ error: "insufficient_scope", scope: need }));
  throw new LabelerError(
    "insufficient-scope",
    `The token "${name}" has the scopes ${scopes.join(", ")}, and this call needs ${need}. ` +
      "Use another token, or give this one the scope in LABELER_TOKENS.",
  );
}

/**
 * Requires that there is a token at all: a labeler without one does not know its operator, and lets nobody change what others
 * have stored.
 *
 * @throws LabelerError of kind unauthorized.
 */
function checkOperator(c: Context<AppEnv>): void {
  if (hasToken(settingsOf(c.env))) return;
  c.header("www-authenticate", challenge());
  throw new LabelerError(
    "unauthorized",
    "This call needs a token with the scope admin, and this labeler does not have any token. Set LABELER_TOKEN or LABELER_TOKENS.",
  );
}

/** Refuses a request that is not allowed with 401, 403 or 429. A request with a wrong token counts for the rate limit, too. */
export const access: MiddlewareHandler<AppEnv> = async (c, next) => {
  const need = needOf(matchedRoutes(c));
  const { token, refusal } = await identify(c);
  c.set("client", token?.name);
  await countCall(c);
  if (refusal !== undefined) {
    c.header("www-authenticate", challenge(refusal.error));
    throw new LabelerError("unauthorized", refusal.detail);
  }
  if (need === "admin") checkOperator(c);
  if (token !== undefined && need !== undefined && need !== "open") checkScope(c, token, need);
  return next();
};
