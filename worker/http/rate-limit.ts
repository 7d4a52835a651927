/**
 * Limits how often a caller may call, by token, or by address if there is no token. The isolate counts the calls (RATE_LIMIT),
 * or the supervisor for all workers of a labeler, and on Cloudflare the binding RATE_LIMITER for all isolates of a location.
 * RateLimit headers are not sent, since they are still a draft.
 */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import { type CallRate, TokenBuckets } from "../runtime/token-bucket.ts";
import { type Settings, settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { addressOf, callerOf, UNKNOWN } from "./client-address.ts";
import { countElsewhere, isOneOfSeveral } from "./other-workers.ts";

let buckets: { readonly setting: Settings["RATE_LIMIT"]; readonly of: TokenBuckets } | undefined;

function describeCaller(c: Context<AppEnv>): string {
  const client = c.get("client");
  if (client !== undefined) return `the token "${client}"`;
  return addressOf(c) === UNKNOWN ? "this address, which is not known and shared by all such callers" : "this address";
}

/** @returns 0 if the call is allowed, else the number of seconds until one is. */
function countHere(c: Context<AppEnv>, limit: CallRate): number {
  if (buckets?.setting !== limit) buckets = { setting: limit, of: new TokenBuckets(limit) };
  return buckets.of.take(callerOf(c), Date.now());
}

/** @returns 0 if Cloudflare allows the call, else a period in seconds: it does not report when the next call is allowed. */
async function countOnCloudflare(c: Context<AppEnv>): Promise<number> {
  const { ON_CLOUDFLARE, RATE_LIMITER_PERIOD: period } = settingsOf(c.env);
  // wrangler imitates the binding on this machine, where nobody is billed for calls.
  if (!ON_CLOUDFLARE || c.env.RATE_LIMITER === undefined) return 0;
  return (await c.env.RATE_LIMITER.limit({ key: callerOf(c) })).success ? 0 : period;
}

/**
 * Counts a call for its caller, which is the token in `client` or an address.
 *
 * @throws LabelerError of kind too-many-requests.
 */
export async function countCall(c: Context<AppEnv>): Promise<void> {
  const { RATE_LIMIT: limit } = settingsOf(c.env);
  let wait = 0;
  if (limit !== undefined) {
    wait = isOneOfSeveral(c.env) ? await countElsewhere(c.env, callerOf(c), limit) : countHere(c, limit);
  }
  if (wait === 0) wait = await countOnCloudflare(c);
  if (wait === 0) return;
  throw new LabelerError("too-many-requests", `Too many calls from ${describeCaller(c)}. Try again in ${wait} s.`, {
    retryAfter: wait,
  });
}
