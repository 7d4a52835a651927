/**
 * The Host header: what it may look like at all, and to which names a labeler without a token answers. workerd makes the
 * request's URL of Host and path as they came, so that `Host: x/healthz?` would move the route.
 */
import type { Context, MiddlewareHandler } from "hono";
import { LabelerError } from "../errors.ts";
import { parseHost } from "../validation/host-name.ts";
import { parseAddress } from "../validation/ip-address.ts";
import type { AppEnv } from "./app-env.ts";

/** The Host header as it came; the URL's where the runtime gives none. */
export const hostHeaderOf = (c: Context<AppEnv>): string => c.req.header("host") ?? new URL(c.req.url).host;

/** Top-level names that no public DNS server answers for: RFC 6761, 6762, 8375, ICANN's .internal, and the customary .lan. */
const PRIVATE = [".localhost", ".local", ".lan", ".internal", ".home.arpa"];

/**
 * Whether a name cannot be the name of a foreign web page. A page at evil.example may have its name resolve to this
 * machine (DNS rebinding) and then read answers as its own; it cannot do so with an address or with a private name.
 */
export const isPrivateHost = (host: string): boolean =>
  !host.includes(".") || parseAddress(host) !== undefined || PRIVATE.some((suffix) => host.endsWith(suffix));

/** Refuses a request whose Host is not `host[:port]`, whatever its route. */
export const checkHost: MiddlewareHandler<AppEnv> = (c, next) => {
  const host = c.req.header("host");
  // `OPTIONS *` has no path: its URL is "http://host*".
  if ((host !== undefined && parseHost(host) === undefined) || !/^https?:\/\/[^/?#]+\//i.test(c.req.url)) {
    throw new LabelerError(
      "bad-host",
      "The request has to name one host and a path: a header Host: NAME or NAME:PORT, and a target that begins with /.",
    );
  }
  return next();
};
