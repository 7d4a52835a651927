/**
 * The differences between releases of eKuiper that matter to this product, and the releases that it was tested on.
 * `ekuiper/` is written for 2.3 and later; for older releases, its streams and rules are converted here.
 */
import { createHash } from "node:crypto";
import { isOlder } from "../../ekuiper-engine/versions.ts";
import type { Rule } from "./api.ts";
import type { SourceDefinition } from "./source-sql.ts";

export interface Dialect {
  /** The version that the gateway reports, for example 2.4.2 or v1.14.7. */
  readonly version: string;
  /** Whether the settings of a stream can be in its EXTRA (2.3.0); otherwise they are in a configuration key. */
  readonly hasExtra: boolean;
  /** Whether rules keep tags (2.2.0); otherwise their name is the mark. */
  readonly hasTags: boolean;
  /** Whether durations are texts such as "20ms" (2.0.0); otherwise they are milliseconds. */
  readonly hasDurations: boolean;
  /** Whether the REST sink sends a binary column unchanged (2.0.0); otherwise a template has to print its bytes. */
  readonly hasBinarySink: boolean;
  /**
   * Whether a function of a service receives an argument that is a text, such as an id (2.0.0); otherwise it receives
   * nothing.
   */
  readonly hasTextArguments: boolean;
  /**
   * Whether the REST sink sends the first row after each start without any header (2.3.1 to 2.4.1). A token must then
   * be in the URL, too, and templates in headers are not filled.
   */
  readonly breaksHeaders: boolean;
  /** Whether MQTT clients have sessions, and speak MQTT 5; they do so before 2.4.0, too, but that was not tested. */
  readonly hasSessions: boolean;
  /** Whether an httppull stream continues from the cursor of its last row, by `states` (2.3.0). */
  readonly hasCursor: boolean;
}

/** @param version What `GET /` of eKuiper's REST API reports. */
export function dialectOf(version: string): Dialect {
  const number = version.replace(/^v/, "");
  const since = (release: string) => !isOlder(number, release);
  return {
    version,
    hasExtra: since("2.3"),
    hasTags: since("2.2"),
    hasDurations: since("2.0"),
    hasBinarySink: since("2.0"),
    hasTextArguments: since("2.0"),
    breaksHeaders: since("2.3.1") && !since("2.4.2"),
    hasSessions: since("2.4"),
    hasCursor: since("2.3"),
  };
}

/** The dialect of the files in ekuiper/. */
export const NEWEST = dialectOf("2.4.2");

/** The releases that this product was tested on: by CI with each change, or by hand on a date. */
export const TRIED: Readonly<Record<string, "CI" | `${number}-${number}-${number}`>> = {
  "1.14.7": "CI",
  "2.0.8": "2026-11-30",
  "2.1.5": "2026-11-30",
  "2.2.5": "2026-11-30",
  "2.3.1": "2026-11-30",
  "2.4.0": "CI",
  "2.4.2": "CI",
};

/** Marks a stream, table or rule as this product's, so that one of the user's with the same name is left alone. */
export const MARK = "edge-labeler";
/** The prefix of this product's configuration keys. */
export const KEY_PREFIX = "edge_labeler_";

export const isOurRule = (rule: Rule) => rule.tags?.includes(MARK) === true || rule.name === MARK;
export const isOurSource = ({ extra, options }: SourceDefinition) =>
  extra.installedBy === MARK || options.CONF_KEY?.startsWith(KEY_PREFIX) === true;

/** A configuration key: the settings of the streams that name it as their CONF_KEY. */
export interface ConfigurationKey {
  /** The type of the streams, for example mqtt. */
  readonly type: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A shipped stream or table in the dialect, and the configuration key that it needs, if any. */
export function sourceIn(
  dialect: Dialect,
  source: SourceDefinition,
): { source: SourceDefinition; key?: ConfigurationKey } {
  if (dialect.hasExtra) return { source };
  const { installedBy: _, ...extra } = source.extra;
  const type = source.options.TYPE ?? "mqtt";
  // A key must have content; POST is the default of httppush streams.
  const settings = type === "httppush" ? { method: "POST", ...extra } : extra;
  if (Object.keys(settings).length === 0) return { source: { ...source, extra: {} } };
  // The name is derived from the content: a changed key then has another name, and rules see the change even if eKuiper
  // keeps a connection for the old one.
  const hash = createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
  const name = `${KEY_PREFIX}${hash}`;
  return {
    source: { ...source, options: { ...source.options, CONF_KEY: name }, extra: {} },
    key: { type, name, settings },
  };
}

const DURATIONS = new Set(["timeout", "resendInterval", "checkpointInterval"]);
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

function inMilliseconds(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => inMilliseconds(item));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inMilliseconds(inner, key)]));
  }
  const [, number, unit = ""] = (DURATIONS.has(name) && /^(\d+)(ms|s|m)$/.exec(String(value))) || [];
  return number === undefined ? value : Number(number) * (UNITS[unit] ?? 1);
}

type Sink = Record<string, unknown>;

/**
 * Converts a sink so that its template prints the image's bytes: they are posted unchanged, since the format is JSON in
 * name only. Its cache would send new rows before those that are on disk already, so all waiting rows stay in memory.
 */
const ofVersionOne = ({ format: _, ...rest }: Sink): Sink => ({
  ...rest,
  bodyType: "text",
  dataTemplate: '{{printf "%s" .self}}',
  memoryCacheThreshold: rest.maxDiskCache,
});

/** A sink with its token also in the URL, from which Go's HTTP client takes it. */
function withCredentials(rest: Sink): Sink {
  const { Authorization } = rest.headers as Record<string, string>;
  const token = Authorization?.replace(/^Bearer /, "");
  return token === undefined
    ? rest
    : { ...rest, url: String(rest.url).replace("://", `://${MARK}:${encodeURIComponent(token)}@`) };
}

function sinkIn(dialect: Dialect, rest: Sink): Sink {
  const sink = dialect.hasBinarySink ? rest : ofVersionOne(rest);
  return dialect.breaksHeaders ? withCredentials(sink) : sink;
}

/** A shipped rule in the dialect. */
export function ruleIn(dialect: Dialect, shipped: Rule): Rule {
  const { tags, ...rule } = dialect.hasDurations ? shipped : (inMilliseconds(shipped) as Rule);
  const actions = rule.actions.map(({ rest, ...action }) => ({
    ...action,
    ...(rest && { rest: sinkIn(dialect, rest) }),
  }));
  const mark = dialect.hasTags ? { tags: tags ?? [] } : { name: MARK };
  return { ...rule, actions, ...(tags && mark) };
}
