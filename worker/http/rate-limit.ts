/**
 * How often a caller may call: by token, or by address where there is none. Counted in the isolate (RATE_LIMIT), or by
 * Cloudflare where its rate-limit binding RATE_LIMITER is bound. There are no RateLimit headers: they are a draft still.
 */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import { type AppEnv, type Settings, settingsOf } from "./settings.ts";
import { TokenBuckets } from "./token-bucket.ts";

let buckets: { readonly setting: Settings["RATE_LIMIT"]; readonly of: TokenBuckets } | undefined;

/** Cloudflare does not say when there will be room; its shortest period is this long, in seconds. */
const CLOUDFLARE_PERIOD = 10;

/** A household has a /64 of IPv6 addresses and may use any of them. */
const network = (address: string): string => {
  if (!address.includes(":")) return address;
  const [head, tail] = address.split("::").map((half) => half.split(":"));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array(Math.max(0, zeros)).fill("0"), ...(tail ?? [])];
  // 0db8 and DB8 are the same.
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
};

function callerOf(c: Context<AppEnv>, client: string | undefined): string {
  if (client !== undefined) return `token:${client}`;
  const { ADDRESS_HEADER: header } = settingsOf(c.env);
  const address = header === "" ? undefined : c.req.header(header);
  return `address:${network(address?.split(",")[0].trim() ?? "")}`;
}

/**
 * Counts a call.
 *
 * @param client The name of the token that it came with.
 * @throws LabelerError of kind too-many-requests.
 */
export async function countCall(c: Context<AppEnv>, client: string | undefined): Promise<void> {
  const { RATE_LIMIT: limit } = settingsOf(c.env);
  const caller = callerOf(c, client);
  let wait = 0;
  if (c.env.RATE_LIMITER !== undefined) {
    wait = (await c.env.RATE_LIMITER.limit({ key: caller })).success ? 0 : CLOUDFLARE_PERIOD;
  } else if (limit !== undefined) {
    if (buckets?.setting !== limit) buckets = { setting: limit, of: new TokenBuckets(limit) };
    wait = buckets.of.take(caller, Date.now());
  }
  if (wait === 0) return;
  const whose = client === undefined ? "this address" : `the token "${client}"`;
  throw new LabelerError("too-many-requests", `Too many calls from ${whose}. Try again in ${wait} s.`, {
    retryAfter: wait,
  });
}
