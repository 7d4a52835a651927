/** The settings of wrangler.toml, checked: what an operator may set, in which unit, and what is wrong with it if so. */
import * as z from "zod/mini";
import "../schema-messages.ts";

/** The Worker's bindings: those that wrangler knows of, and the optional secret. */
export interface Bindings extends Env {
  readonly LABELER_TOKEN?: string | null;
}

/** The environment of the Hono app. */
export interface AppEnv {
  Bindings: Bindings;
}

/** A number in wrangler.toml may be written with quotes or without. */
const count = z.pipe(
  z.coerce.string().check(z.regex(/^[1-9]\d*$/, "must be a whole number above 0")),
  z.coerce.number(),
);

const schema = z.object({
  /** The folder in model-assets/ that labels where a request names no model. */
  DEFAULT_MODEL: z.string().check(z.minLength(1)),
  /** The largest body, in bytes. */
  MAX_BODY_BYTES: count,
  /** The largest form or JSON, in bytes: these stand in memory, while an image that is sent as it is streams. */
  MAX_FORM_BYTES: count,
  /** The largest image, in pixels. */
  MAX_PIXELS: count,
  /** How many bytes of weights may stay in the isolate beside those in use. */
  MODEL_CACHE_BYTES: count,
  /** Where it is set, every call but the probes needs it as bearer token. */
  LABELER_TOKEN: z.nullish(z.string().check(z.minLength(1, "is set but empty; set a token or remove it"))),
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
  const { success, data, error } = z.safeParse(schema, env);
  if (!success) {
    const issues = error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`Settings (wrangler.toml, [vars], or the secret): ${issues.join("; ")}`);
  }
  known.set(env, data);
  return data;
}
