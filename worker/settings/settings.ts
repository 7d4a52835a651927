/** Reads and checks the settings of wrangler.toml: their types, units and defaults, and errors that name the fix. */
import * as z from "zod/mini";
import { parseRateLimit } from "../runtime/token-bucket.ts";
import { parseHost } from "../validation/host-name.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { oneOf } from "../validation/words.ts";
import { secretSettings } from "./token-settings.ts";

/** A binding to a service in another process. */
export interface Service {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** The Worker's bindings: those that wrangler generates types for, and the optional secrets. */
export interface Bindings extends Omit<Env, "RATE_LIMITER"> {
  readonly LABELER_TOKEN?: string | null;
  readonly LABELER_TOKENS?: string | null;
  readonly PUSH_TOKEN?: string | null;
  /** Which of several workers of a labeler this is, such as "1/4" for the first of four; see http/other-workers.ts. */
  readonly WORKER?: string | null;
  /** The name of this process of a worker: another one takes its place one day. */
  readonly PROCESS?: string | null;
  /** What the workers share: the supervisor of npm run serve, and the process that stores the results. */
  readonly SUPERVISOR?: Service;
  readonly STORE?: Service;
  /** Cloudflare's rate-limit binding, where there is one. */
  readonly RATE_LIMITER?: { limit(options: { readonly key: string }): Promise<{ readonly success: boolean }> };
}

/** A number in wrangler.toml may be quoted or not. */
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

/** A list of host names in lower case. */
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

/** Addresses separated by commas or white space, or as a JSON array. */
const targets = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text) => [...new Set(text.split(/[\s,"[\]]+/).filter((part) => part !== ""))]),
  ),
  z.array(z.string().check(z.refine(isTarget, "must be http:// or https:// addresses without user and password"))),
);

/** One of some words, or empty. */
const wordOf = <const T extends readonly string[]>(words: T) =>
  z.pipe(
    z.string().check(z.refine((text) => text === "" || words.includes(text), `must be ${oneOf(words)}, or empty`)),
    z.transform((text) => (text === "" ? undefined : (text as T[number]))),
  );

const schema = z.object({
  /** The folder in model-assets/ of the model that labels if a request does not name one. */
  DEFAULT_MODEL: z.string().check(z.minLength(1)),
  /** The largest body, in bytes. */
  MAX_BODY_BYTES: count,
  /** The largest form or JSON body, in bytes: these are held in memory, while an image as the whole body streams. */
  MAX_FORM_BYTES: count,
  /** The largest number of images in one request. */
  MAX_IMAGES: z._default(count, 100),
  /** The largest image, in pixels. */
  MAX_PIXELS: count,
  /** The largest number of requests that decode and infer at once. */
  MAX_CONCURRENT: z._default(count, 8),
  /** The longest queue of requests; further ones are refused at once. */
  MAX_WAITING: z._default(count, 64),
  /** How long a request waits in the queue before it is refused, in milliseconds. */
  MAX_WAIT_MS: z._default(count, 5000),
  /** The memory limit of all loaded models, in bytes; a single model may exceed it. */
  MODEL_CACHE_BYTES: count,
  /** Whether results are cached for images that are sent again. */
  CACHE_ANSWERS: z._default(flag, true),
  /** Whether /label may be called without a token although tokens are set. */
  ANONYMOUS_LABEL: z._default(flag, false),
  /** The rate limit of each token, or of each address without a token. */
  RATE_LIMIT: z.optional(rateLimit),
  /** The period of Cloudflare's rate-limit binding, in seconds. */
  RATE_LIMITER_PERIOD: z._default(count, 10),
  /**
   * The header in which a trusted proxy gives the caller's address; empty to use the address that the platform reports.
   */
  ADDRESS_HEADER: z._default(headerName, ""),
  /** Whether /metrics can be read without a token although tokens are set. */
  METRICS_PUBLIC: z._default(flag, false),
  /** Which requests are logged: all of them, those that failed through the labeler's fault, or none. */
  LOG: z._default(z.enum(["requests", "errors", "off"]), "requests"),
  /** The origins whose pages may call from a browser. */
  CORS_ORIGIN: z._default(origins, []),
  /** Additional host names under which a labeler without a token may be called. */
  ALLOWED_HOSTS: z._default(hosts, []),
  /**
   * Set only by `npm run deploy`: whether Cloudflare is in front, which knows the caller and forwards no foreign Host.
   */
  ON_CLOUDFLARE: z._default(flag, false),
  /** How long results are kept, in days. */
  RESULTS_MAX_AGE_DAYS: days,
  /** The largest number of stored results. */
  RESULTS_MAX_COUNT: count,
  /** Where Cloudflare creates the object with the results: a hint, which counts with the first call for it. */
  RESULTS_LOCATION_HINT: z.optional(
    wordOf(["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"]),
  ),
  /** Where Cloudflare must store and process the results. Each jurisdiction has an object of its own. */
  RESULTS_JURISDICTION: z.optional(wordOf(["eu", "us", "fedramp", "fedramp-high"])),
  /** The addresses that each new result is posted to. */
  PUSH_TARGETS: targets,
  /** How long delivery of a result is tried, in days. */
  PUSH_MAX_AGE_DAYS: days,
  ...secretSettings,
});

export type Settings = z.infer<typeof schema>;

const known = new WeakMap<object, Settings>();

/**
 * The settings of this Worker, checked once.
 *
 * @throws Error that names the setting and its valid values: a mistake of the operator, so it goes to the log.
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
