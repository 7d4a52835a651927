/** IP addresses as proxies and runtimes write them. Knows nothing of requests. */

export interface Address {
  /** In one spelling, without port, brackets and zone: 10.0.0.1, 2001:db8::1. */
  readonly text: string;
  /** Of IPv6, its eight groups of 16 bits. */
  readonly groups?: readonly number[];
}

const isIPv4 = (text: string): boolean => {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
};

/** The eight groups of an address in the spelling of URLs, where `::` stands for groups of zeros. */
function groupsOf(text: string): number[] {
  const [head = [], tail] = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(zeros).fill("0"), ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}

/** An IPv4 address that an IPv6 socket or a translator writes as IPv6: `::ffff:a.b.c.d` and `64:ff9b::a.b.c.d`. */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const prefix = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(":");
  if (prefix !== "0:0:0:0:0:ffff" && prefix !== "64:ff9b:0:0:0:0") return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join(".");
}

function parseIPv6(text: string): Address | undefined {
  const plain = text.replace(/%.*$/, ""); // the zone is of this machine alone
  if (!plain.includes(":")) return undefined;
  // A URL has IPv6 addresses in the spelling of RFC 5952.
  const host = /^[0-9a-f:.]+$/i.test(plain) ? URL.parse(`http://[${plain}]/`)?.hostname : undefined;
  if (host === undefined) return undefined;
  const canonical = host.slice(1, -1);
  const groups = groupsOf(canonical);
  const ipv4 = embeddedIPv4(groups);
  return ipv4 === undefined ? { text: canonical, groups } : { text: ipv4 };
}

/**
 * Reads `10.0.0.1`, `10.0.0.1:40000`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`, `fe80::1%eth0` and
 * `::ffff:10.0.0.1`, which is 10.0.0.1.
 *
 * @returns Undefined for anything else.
 */
export function parseAddress(text: string): Address | undefined {
  const trimmed = text.trim();
  const [, inBrackets] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed) ?? [];
  if (inBrackets !== undefined) return parseIPv6(inBrackets);
  const [, beforePort = trimmed] = /^([^:]*):\d{1,5}$/.exec(trimmed) ?? [];
  return isIPv4(beforePort) ? { text: beforePort } : parseIPv6(trimmed);
}

export const isLoopback = ({ text }: Address): boolean => text === "::1" || text.startsWith("127.");

/** fe80::/10, which every machine of a network has. */
export const isLinkLocal = ({ groups }: Address): boolean =>
  groups !== undefined && ((groups[0] ?? 0) & 0xffc0) === 0xfe80;
