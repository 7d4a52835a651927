/** The name or address of a host, as a Host header or a setting has it. */
import { parseAddress } from "./ip-address.ts";

/** A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. */
const HOST = /^(\[[^\]]*\]|[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?)(?::(\d{0,5}))?$/i;

/**
 * The name or address in a Host header: lower case, without port, and without the dot at the end that DNS allows.
 *
 * @returns Undefined if the header is not `host[:port]`; two Host headers, which arrive with a comma in between, are not.
 */
export function parseHost(header: string): string | undefined {
  const [, host, port = ""] = HOST.exec(header) ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  if (host.startsWith("[") && parseAddress(host) === undefined) return undefined;
  return host.toLowerCase().replace(/\.$/, "");
}
