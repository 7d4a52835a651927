/**
 * Refuses requests that browsers send for foreign pages. A page may send requests to any address that its visitor's machine
 * reaches. So a foreign page could store results (cross-site request forgery), and could read them through a name that it
 * lets resolve to this machine (DNS rebinding). Clients other than browsers do not send these headers.
 */
import type { Context, MiddlewareHandler } from "hono";
import { LabelerError } from "../errors.ts";
import { settingsOf } from "../settings/settings.ts";
import { hasToken } from "../settings/token-settings.ts";
import { parseHost } from "../validation/host-name.ts";
import type { AppEnv } from "./app-env.ts";
import { hostHeaderOf, isPrivateHost } from "./host.ts";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** An origin as browsers write it: without the default port. */
const originOf = (scheme: string, host: string): string | undefined => URL.parse(`${scheme}://${host}`)?.origin;

/**
 * Whether a page of another origin made a request.
 *
 * Browsers send Origin with every request whose method is not GET or HEAD and with every request whose answer a page may
 * read, unless the page has the same origin. A request without Origin is a navigation or an embedded picture or script:
 * it changes nothing, and its page cannot read the answer (nosniff, Cross-Origin-Resource-Policy). `null` is the origin of
 * sandboxed frames and local files, which may be anybody's.
 *
 * A proxy with TLS forwards https requests as plain http. Then the browser itself states that the origins are the same, in a
 * header that no page can set; the host is compared nevertheless.
 */
function isForeign(c: Context<AppEnv>): boolean {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  if (origin === undefined) {
    return (site === "cross-site" || site === "same-site") && !SAFE_METHODS.includes(c.req.method);
  }
  const host = hostHeaderOf(c);
  const scheme = new URL(c.req.url).protocol.slice(0, -1);
  return origin !== originOf(scheme, host) && !(site === "same-origin" && origin === originOf("https", host));
}

/** @throws LabelerError of kind foreign-origin. */
function checkOrigin(c: Context<AppEnv>): void {
  const { CORS_ORIGIN: allowed } = settingsOf(c.env);
  const origin = c.req.header("origin");
  if (!isForeign(c) || allowed.includes("*") || (origin !== undefined && allowed.includes(origin))) return;
  throw new LabelerError(
    "foreign-origin",
    "Pages of another origin than the labeler's own may not call it. To let them, add their origin to the setting CORS_ORIGIN.",
  );
}

/** @throws LabelerError of kind foreign-host. */
function checkPrivateHost(c: Context<AppEnv>): void {
  const settings = settingsOf(c.env);
  const { ON_CLOUDFLARE, ALLOWED_HOSTS: allowed } = settings;
  // On Cloudflare, only names of the own account lead here. If there is a token, a foreign page does not have it.
  if (ON_CLOUDFLARE || hasToken(settings) || allowed.includes("*")) return;
  const host = parseHost(hostHeaderOf(c));
  if (host !== undefined && (isPrivateHost(host) || allowed.includes(host))) return;
  throw new LabelerError(
    "foreign-host",
    `A labeler without a token answers to addresses and to local names, not to "${host ?? ""}". ` +
      "Add the name to the setting ALLOWED_HOSTS, or set a token.",
  );
}

/** Refuses the requests of foreign pages. It comes before the check of the token, so that a page learns nothing about it. */
export const guardBrowsers: MiddlewareHandler<AppEnv> = (c, next) => {
  checkPrivateHost(c);
  checkOrigin(c);
  return next();
};
