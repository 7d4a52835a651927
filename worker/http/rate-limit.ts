/**
 * Limits how often a caller may call, by token, or by address if there is no token. The isolate counts the calls (RATE_LIMIT),
 * or Cloudflare does, if the binding RATE_LIMITER exists. RateLimit headers are not sent, since they are still a draft.
 */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import { TokenBuckets } from "../runtime/token-bucket.ts";
import { type Settings, settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { addressOf, callerOf, UNKNOWN } from "./client-address.ts";

let buckets: { readonly setting: Settings["RATE_LIMIT"]; readonly of: TokenBuckets } | undefined;

function describeCaller(c: Context<AppEnv>): string {
  const client = c.get("client");
  if (client !== undefined) return `the token "${client}"`;
  return addressOf(c) === UNKNOWN ? "this address, which is not known and shared by all such callers" : "this address";
}

/**
 * Counts a call for its caller, which is the token in `client` or an address.
 *
 * @throws LabelerError of kind too-many-requests.
 */
export async function countCall(c: Context<AppEnv>): Promise<void> {
  const { RATE_LIMIT: limit, RATE_LIMITER_PERIOD: period } = settingsOf(c.env);
  let wait = 0;
  if (c.env.RATE_LIMITER !== undefined) {
    // Cloudflare does not report when the next call is allowed; it certainly is after a period.
    wait = (await c.env.RATE_LIMITER.limit({ key: callerOf(c) })).success ? 0 : period;
  } else if (limit !== undefined) {
    if (buckets?.setting !== limit) buckets = { setting: limit, of: new TokenBuckets(limit) };
    wait = buckets.of.take(callerOf(c), Date.now());
  }
  if (wait === 0) return;
  throw new LabelerError("too-many-requests", `Too many calls from ${describeCaller(c)}. Try again in ${wait} s.`, {
    retryAfter: wait,
  });
}
