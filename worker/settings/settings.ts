/** The settings of wrangler.toml, checked: what an operator may set, in which unit, and what is wrong with it if so. */
import * as z from "zod/mini";
import { parseRateLimit } from "../runtime/token-bucket.ts";
import { parseHost } from "../validation/host-name.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { secretSettings } from "./token-settings.ts";

/** The Worker's bindings: those that wrangler knows of, and the optional secrets. */
export interface Bindings extends Env {
  readonly LABELER_TOKEN?: string | null;
  readonly LABELER_TOKENS?: string | null;
  readonly PUSH_TOKEN?: string | null;
  /** Cloudflare's rate-limit binding, where there is one. */
  readonly RATE_LIMITER?: { limit(options: { readonly key: string }): Promise<{ readonly success: boolean }> };
}

/** A number in wrangler.toml may be written with quotes or without. */
const count = z.pipe(
  z.coerce.string().check(z.regex(/^[1-9]\d*$/, "must be a whole number above 0")),
  z.coerce.number(),
);

const flag = z.pipe(
  z.pipe(z.coerce.string(), z.enum(["true", "false"])),
  z.transform((text) => text === "true"),
);

const parts = (text: string) => text.split(/[\s,]+/).filter((part) => part !== "");

const rateLimit = z.pipe(
  z
    .string()
    .check(
      z.refine(
        (text) => text === "" || parseRateLimit(text) !== undefined,
        'must be such as "20/s", "100/m", "1000/h" or "20/s burst 100", or empty for no limit',
      ),
    ),
  z.transform((text) => parseRateLimit(text)),
);

const isOrigin = (text: string) => text === "*" || (URL.canParse(text) && new URL(text).origin === text);

const origins = z.pipe(
  z.pipe(z.string(), z.transform(parts)),
  z.array(z.string().check(z.refine(isOrigin, 'must be origins such as https://example.org, without a path, or "*"'))),
);

/** Names in lower case. */
const hosts = z.pipe(
  z.pipe(z.string(), z.transform(parts)),
  z.array(
    z.pipe(
      z
        .string()
        .check(
          z.refine(
            (text) => text === "*" || (parseHost(text) !== undefined && !/:\d*$/.test(text)),
            'must be names such as labeler.example.org, without a port, or "*"',
          ),
        ),
      z.transform((text) => parseHost(text) ?? text),
    ),
  ),
);

const headerName = z
  .string()
  .check(z.regex(/^[\w!#$%&'*+.^`|~-]*$/, "must be the name of a header, such as x-real-ip"));

const days = z
  .pipe(
    z.coerce.string().check(z.regex(/^\d+(\.\d+)?$/, "must be a number of days such as 30 or 0.5")),
    z.coerce.number(),
  )
  .check(z.positive("must be above 0"));

const isTarget = (text: string) => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
};

/** Addresses with commas or white space between them, or as a JSON array. */
const targets = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text) => [...new Set(text.split(/[\s,"[\]]+/).filter((part) => part !== ""))]),
  ),
  z.array(z.string().check(z.refine(isTarget, "must be http:// or https:// addresses without user and password"))),
);

const schema = z.object({
  /** The folder in model-assets/ that labels where a request names no model. */
  DEFAULT_MODEL: z.string().check(z.minLength(1)),
  /** The largest body, in bytes. */
  MAX_BODY_BYTES: count,
  /** The largest form or JSON, in bytes: these stand in memory, while an image that is sent as it is streams. */
  MAX_FORM_BYTES: count,
  /** How many images one request may carry. */
  MAX_IMAGES: z._default(count, 100),
  /** The largest image, in pixels. */
  MAX_PIXELS: count,
  /** How many requests are decoded and labelled at once. */
  MAX_CONCURRENT: z._default(count, 8),
  /** How many may wait for that; more are refused at once. */
  MAX_WAITING: z._default(count, 64),
  /** How long one waits before it is refused, in milliseconds. */
  MAX_WAIT_MS: z._default(count, 5000),
  /** How many bytes the loaded models may take together; one may always be there. */
  MODEL_CACHE_BYTES: count,
  /** Whether results are cached for images that come again. */
  CACHE_ANSWERS: z._default(flag, true),
  /** Whether /label may be called without a token where there are tokens. */
  ANONYMOUS_LABEL: z._default(flag, false),
  /** How often each token, or each address without one, may call. */
  RATE_LIMIT: z.optional(rateLimit),
  /** The period of Cloudflare's rate-limit binding, in seconds. */
  RATE_LIMITER_PERIOD: z._default(count, 10),
  /** The header in which a trusted proxy gives the caller's address; empty for what the platform knows of the connection. */
  ADDRESS_HEADER: z._default(headerName, ""),
  /** Whether /metrics needs no token where there are tokens. */
  METRICS_PUBLIC: z._default(flag, false),
  /** What is logged: a line for each request, for each that failed by the labeler's fault, or none. */
  LOG: z._default(z.enum(["requests", "errors", "off"]), "requests"),
  /** Whose pages may call from a browser. */
  CORS_ORIGIN: z._default(origins, []),
  /** More names under which a labeler without a token may be called. */
  ALLOWED_HOSTS: z._default(hosts, []),
  /** Set by `npm run deploy` alone: whether Cloudflare is in front, which knows the caller and hands on no foreign Host. */
  ON_CLOUDFLARE: z._default(flag, false),
  /** How long results are kept, in days. */
  RESULTS_MAX_AGE_DAYS: days,
  /** How many results are kept. */
  RESULTS_MAX_COUNT: count,
  /** Where each new result is posted to. */
  PUSH_TARGETS: targets,
  /** How long it is tried to deliver a result, in days. */
  PUSH_MAX_AGE_DAYS: days,
  ...secretSettings,
});

export type Settings = z.infer<typeof schema>;

const known = new WeakMap<object, Settings>();

/**
 * The settings of this Worker; checked once.
 *
 * @throws Error that names the setting and what it should be: an operator's mistake, so it goes to the log.
 */
export function settingsOf(env: Bindings): Settings {
  const found = known.get(env);
  if (found !== undefined) return found;
  const settings = checkSchema(
    schema,
    env,
    (faults) => new Error(`Settings (wrangler.toml, [vars], or the secret): ${faults}`),
  );
  known.set(env, settings);
  return settings;
}
