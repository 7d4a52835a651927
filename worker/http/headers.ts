/** Headers of every answer: for browsers, what they may do with it, and whose pages may ask. */
import type { MiddlewareHandler } from "hono";
import { cors as honoCors } from "hono/cors";
import { type Settings, settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { IMAGE_HEADERS } from "./image-notes.ts";

/** Where a route has not set its own. */
const DEFAULTS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  // A foreign page may not embed an answer; what CORS_ORIGIN lets a page read is not concerned.
  "cross-origin-resource-policy": "same-origin",
};

export const secureHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  for (const [name, value] of Object.entries(DEFAULTS)) if (!headers.has(name)) headers.set(name, value);
  // What has an ETag may be kept, but is to be asked for again.
  if (!headers.has("cache-control"))
    headers.set("cache-control", headers.has("etag") ? "private, no-cache" : "no-store");
  if (c.req.url.startsWith("https:")) headers.set("strict-transport-security", "max-age=31536000");
};

/** A browser asks the labeler again after so long, in seconds. */
const PREFLIGHT_AGE = 86_400;

const handlers = new WeakMap<Settings, MiddlewareHandler>();

const handlerFor = (settings: Settings): MiddlewareHandler => {
  const known = handlers.get(settings);
  if (known !== undefined) return known;
  const handler = honoCors({
    origin: settings.CORS_ORIGIN.includes("*") ? "*" : [...settings.CORS_ORIGIN],
    allowMethods: ["GET", "HEAD", "POST"],
    // Whatever a page wants to send is read as any client's; "*" would leave out Authorization.
    allowHeaders: [],
    exposeHeaders: ["Cache-Status", "ETag", "Retry-After", "Server-Timing", ...IMAGE_HEADERS, "X-Request-Id"],
    maxAge: PREFLIGHT_AGE,
  });
  handlers.set(settings, handler);
  return handler;
};

/** Lets pages of the origins in CORS_ORIGIN call; off where it is empty. Preflights carry no token, so it comes before that. */
export const cors: MiddlewareHandler<AppEnv> = (c, next) => {
  const settings = settingsOf(c.env);
  const { CORS_ORIGIN: origins } = settings;
  const origin = c.req.header("origin");
  // A page of another origin, and a client that is no page, are answered as if there were no such setting.
  if (origin === undefined || !(origins.includes("*") || origins.includes(origin))) return next();
  return handlerFor(settings)(c, next);
};
