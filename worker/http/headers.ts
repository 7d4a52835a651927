/** The headers of every answer that tell browsers how to treat it and which pages may read it. */
import type { MiddlewareHandler } from "hono";
import { cors as honoCors } from "hono/cors";
import { type Settings, settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { IMAGE_HEADERS } from "./image-notes.ts";

/** The headers of an answer whose route has not set them. */
const DEFAULTS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  // A foreign page may not embed an answer. This does not concern pages that CORS_ORIGIN lets read it.
  "cross-origin-resource-policy": "same-origin",
};

export const secureHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  for (const [name, value] of Object.entries(DEFAULTS)) if (!headers.has(name)) headers.set(name, value);
  // An answer with an ETag may be cached, but has to be revalidated.
  if (!headers.has("cache-control"))
    headers.set("cache-control", headers.has("etag") ? "private, no-cache" : "no-store");
  if (c.req.url.startsWith("https:")) headers.set("strict-transport-security", "max-age=31536000");
};

/** How long a browser may cache the answer to a preflight, in seconds. */
const PREFLIGHT_AGE = 86_400;

const handlers = new WeakMap<Settings, MiddlewareHandler>();

const handlerFor = (settings: Settings): MiddlewareHandler => {
  const known = handlers.get(settings);
  if (known !== undefined) return known;
  const handler = honoCors({
    origin: settings.CORS_ORIGIN.includes("*") ? "*" : [...settings.CORS_ORIGIN],
    allowMethods: ["GET", "HEAD", "POST"],
    // An empty list allows the headers that a preflight names; "*" would not include Authorization.
    allowHeaders: [],
    exposeHeaders: ["Cache-Status", "ETag", "Retry-After", "Server-Timing", ...IMAGE_HEADERS, "X-Request-Id"],
    maxAge: PREFLIGHT_AGE,
  });
  handlers.set(settings, handler);
  return handler;
};

/** Lets pages of the origins in CORS_ORIGIN call. It comes before the check of the token, which preflights do not have. */
export const cors: MiddlewareHandler<AppEnv> = (c, next) => {
  const settings = settingsOf(c.env);
  const { CORS_ORIGIN: origins } = settings;
  const origin = c.req.header("origin");
  // Pages of other origins and clients other than browsers are answered as if the setting were empty.
  if (origin === undefined || !(origins.includes("*") || origins.includes(origin))) return next();
  return handlerFor(settings)(c, next);
};
