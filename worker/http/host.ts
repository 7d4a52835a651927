/**
 * Checks the form of the Host header, and tells private names from public ones; browsers.ts decides which are answered. workerd builds the URL of a request
 * from Host and path as they arrive, so that `Host: x/healthz?` would change the route.
 */
import type { Context, MiddlewareHandler } from "hono";
import { LabelerError } from "../errors.ts";
import { parseHost } from "../validation/host-name.ts";
import { parseAddress } from "../validation/ip-address.ts";
import type { AppEnv } from "./app-env.ts";

/** The Host header as it arrived, or the host of the URL if the runtime does not pass the header on. */
export const hostHeaderOf = (c: Context<AppEnv>): string => c.req.header("host") ?? new URL(c.req.url).host;

/** Top-level names that public DNS does not have: RFC 6761, 6762, 8375, ICANN's .internal, and the customary .lan. */
const PRIVATE = [".localhost", ".local", ".lan", ".internal", ".home.arpa"];

/**
 * Whether a host cannot be that of a foreign web page. The owner of evil.example may let this name resolve to this machine
 * (DNS rebinding), and a page there could then read answers as its own. An address or a private name does not allow this.
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
