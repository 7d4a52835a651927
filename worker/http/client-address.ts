/** Whose call it is, for rate limits and fairness: by token, or by network address where there is no token. */
import type { Context } from "hono";
import { settingsOf } from "../settings/settings.ts";
import { type Address, isLinkLocal, isLoopback, parseAddress } from "../validation/ip-address.ts";
import type { AppEnv } from "./app-env.ts";

/** All callers whose address is not known: one caller, so that nobody escapes a limit by being unreadable. */
export const UNKNOWN = "unknown";

/** workerd's own account of the connection, "10.0.0.1:40000". Cloudflare and wrangler do not have it. */
const peerOf = (c: Context<AppEnv>): string | undefined => (c.req.raw as { cf?: { clientIp?: string } }).cf?.clientIp;

/** What the nearest proxy says of the connection: the last entry, since those before it are the client's own words. */
const saidOf = (c: Context<AppEnv>, header: string): string | undefined => c.req.header(header)?.split(",").at(-1);

function parsedAddressOf(c: Context<AppEnv>): Address | undefined {
  const { ADDRESS_HEADER: header, ON_CLOUDFLARE } = settingsOf(c.env);
  if (header !== "") return parseAddress(saidOf(c, header) ?? "");
  // Elsewhere a client may send Cloudflare's header itself.
  return parseAddress((ON_CLOUDFLARE ? saidOf(c, "cf-connecting-ip") : peerOf(c)) ?? "");
}

/** The address that a request came from, without port and in one spelling; UNKNOWN if it cannot be read. */
export const addressOf = (c: Context<AppEnv>): string => parsedAddressOf(c)?.text ?? UNKNOWN;

/**
 * Whose call it is: `token:NAME`, or `address:NETWORK`. An IPv6 network of 64 bits is one caller, who may use any address
 * of it; loopback and link-local addresses, whose networks strangers share, are callers of their own.
 */
export function callerOf(c: Context<AppEnv>): string {
  const client = c.get("client");
  if (client !== undefined) return `token:${client}`;
  const address = parsedAddressOf(c);
  if (address === undefined) return `address:${UNKNOWN}`;
  const { text, groups } = address;
  if (groups === undefined || isLoopback(address) || isLinkLocal(address)) return `address:${text}`;
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `address:${network.join(":")}::/64`;
}
