/** Identifies the caller for rate limits and fairness: by token, or by network address if there is no token. */
import type { Context } from "hono";
import { settingsOf } from "../settings/settings.ts";
import { type Address, isLinkLocal, isLoopback, parseAddress } from "../validation/ip-address.ts";
import type { AppEnv } from "./app-env.ts";

/** Stands for all callers whose address is not known, so that nobody escapes a limit by sending an unreadable address. */
export const UNKNOWN = "unknown";

/** The peer of the connection as workerd reports it, such as "10.0.0.1:40000". Cloudflare and wrangler do not. */
const peerOf = (c: Context<AppEnv>): string | undefined => (c.req.raw as { cf?: { clientIp?: string } }).cf?.clientIp;

/** The address that the nearest proxy reports: the last entry of the header, since the client may have sent the others. */
const forwardedAddress = (c: Context<AppEnv>, header: string): string | undefined =>
  c.req.header(header)?.split(",").at(-1);

function parsedAddressOf(c: Context<AppEnv>): Address | undefined {
  const { ADDRESS_HEADER: header, ON_CLOUDFLARE } = settingsOf(c.env);
  if (header !== "") return parseAddress(forwardedAddress(c, header) ?? "");
  // Elsewhere a client may send Cloudflare's header itself.
  return parseAddress((ON_CLOUDFLARE ? forwardedAddress(c, "cf-connecting-ip") : peerOf(c)) ?? "");
}

/** The address that a request came from, without port and in one spelling; UNKNOWN if it cannot be read. */
export const addressOf = (c: Context<AppEnv>): string => parsedAddressOf(c)?.text ?? UNKNOWN;

/**
 * The caller of a request: `token:NAME`, or `address:NETWORK`. An IPv6 network of 64 bits is one caller, who may use any address
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
