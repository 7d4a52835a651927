/**
 * What browsers do for pages that are not the labeler's own. A page may send requests to any address that its visitor's
 * machine reaches, so that without this a foreign page could store results (cross-site request forgery), and with a name
 * that it has resolve to this machine read them (DNS rebinding). Clients that are no browsers send none of these headers.
 */
import type { Context, MiddlewareHandler } from "hono";
import { LabelerError } from "../errors.ts";
import { settingsOf } from "../settings/settings.ts";
import { hasToken } from "../settings/token-settings.ts";
import { parseHost } from "../validation/host-name.ts";
import type { AppEnv } from "./app-env.ts";
import { hostHeaderOf, isPrivateHost } from "./host.ts";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** An origin in the spelling of browsers: without the port that goes without saying. */
const originOf = (scheme: string, host: string): string | undefined => URL.parse(`${scheme}://${host}`)?.origin;

/**
 * Whether a page of another origin made a request.
 *
 * Browsers send Origin with every request whose method is not GET or HEAD and with every request whose answer a page may
 * read, unless the page has the same origin. What comes without Origin is a navigation or an embedded picture or script:
 * it changes nothing, and its page cannot read the answer (nosniff, Cross-Origin-Resource-Policy). `null` is the origin of
 * sandboxed frames and local files, which may be anybody's.
 *
 * A proxy with TLS hands on what came as https in plain http. There the browser itself says that the origins are the same,
 * by a header that no page can set; the host is compared all the same.
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
  // On Cloudflare, only names of the account's own lead here. With a token, a page with such a name has none to send.
  if (ON_CLOUDFLARE || hasToken(settings) || allowed.includes("*")) return;
  const host = parseHost(hostHeaderOf(c));
  if (host !== undefined && (isPrivateHost(host) || allowed.includes(host))) return;
  throw new LabelerError(
    "foreign-host",
    `A labeler without a token answers to addresses and to local names, not to "${host ?? ""}". ` +
      "Add the name to the setting ALLOWED_HOSTS, or set a token.",
  );
}

/** Refuses what a foreign page sends; belongs before the token, so that a page learns nothing of it. */
export const guardBrowsers: MiddlewareHandler<AppEnv> = (c, next) => {
  checkPrivateHost(c);
  checkOrigin(c);
  return next();
};
