/**
 * What releases of eKuiper differ in, as far as this product meets it, and which of them it was run on. `ekuiper/` is
 * written for 2.3 and later; for older ones its streams and rules are put into their form here.
 */
import { createHash } from "node:crypto";
import { isOlder } from "../../ekuiper-engine/versions.ts";
import type { Rule } from "./api.ts";
import type { SourceDefinition } from "./source-sql.ts";

export interface Dialect {
  /** As the gateway says it, for example 2.4.2 or v1.14.7. */
  readonly version: string;
  /** Whether settings of a stream can be in its EXTRA (2.3.0); else they are in a configuration key. */
  readonly hasExtra: boolean;
  /** Whether rules keep tags (2.2.0); else the mark is their name. */
  readonly hasTags: boolean;
  /** Whether durations are texts such as "20ms" (2.0.0); else they are milliseconds. */
  readonly hasDurations: boolean;
  /** Whether the REST sink sends a binary column as it is (2.0.0); else a template has to print its bytes. */
  readonly hasBinarySink: boolean;
  /** Whether a function of a service gets an argument that is a text, such as an id (2.0.0); else it gets nothing. */
  readonly hasTextArguments: boolean;
  /**
   * Whether the REST sink sends the first row after each start without any header, so that a token must be in the URL, too,
   * and templates in headers as they stand (2.3.1 to 2.4.1).
   */
  readonly breaksHeaders: boolean;
  /** Whether MQTT clients have sessions, and speak MQTT 5; there before 2.4.0, but not tried. */
  readonly hasSessions: boolean;
  /** Whether an httppull stream asks on from the cursor of its last row, by `states` (2.3.0). */
  readonly hasCursor: boolean;
}

/** @param version what `GET /` of eKuiper's REST API says */
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

/** The form of the files in ekuiper/. */
export const NEWEST = dialectOf("2.4.2");

/** The releases that this product was run on: by CI with each change, or by hand on a day. */
export const TRIED: Readonly<Record<string, "CI" | `${number}-${number}-${number}`>> = {
  "1.14.7": "CI",
  "2.0.8": "2026-11-30",
  "2.1.5": "2026-11-30",
  "2.2.5": "2026-11-30",
  "2.3.1": "2026-11-30",
  "2.4.0": "CI",
  "2.4.2": "CI",
};

/** What marks a stream, table or rule as this product's, so that a user's own of the same name is left alone. */
export const MARK = "edge-labeler";
/** How the names of this product's configuration keys begin. */
export const KEY_PREFIX = "edge_labeler_";

export const isOurRule = (rule: Rule) => rule.tags?.includes(MARK) === true || rule.name === MARK;
export const isOurSource = ({ extra, options }: SourceDefinition) =>
  extra.installedBy === MARK || options.CONF_KEY?.startsWith(KEY_PREFIX) === true;

/** A configuration key: the settings of streams whose CONF_KEY it is. */
export interface ConfigurationKey {
  /** The type of the streams, for example mqtt. */
  readonly type: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A shipped stream or table as the dialect writes it, and the configuration key that it needs, if any. */
export function sourceIn(
  dialect: Dialect,
  source: SourceDefinition,
): { source: SourceDefinition; key?: ConfigurationKey } {
  if (dialect.hasExtra) return { source };
  const { installedBy: _, ...extra } = source.extra;
  const type = source.options.TYPE ?? "mqtt";
  // A key has to have something in it; POST is what httppush streams take by themselves.
  const settings = type === "httppush" ? { method: "POST", ...extra } : extra;
  if (Object.keys(settings).length === 0) return { source: { ...source, extra: {} } };
  // Named after what is in it: rules then see a change of it by another name, whatever connection eKuiper keeps for the old one.
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
 * A sink whose template prints the image's bytes: they are posted as they are, since the format is JSON in name alone. Its
 * cache would send what comes before what is on disk already, so that all that may wait waits in memory.
 */
const ofVersionOne = ({ format: _, ...rest }: Sink): Sink => ({
  ...rest,
  bodyType: "text",
  dataTemplate: '{{printf "%s" .self}}',
  memoryCacheThreshold: rest.maxDiskCache,
});

/** A sink that has its token in the URL, too, where Go's HTTP client takes it from. */
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

/** A shipped rule as the dialect writes it. */
export function ruleIn(dialect: Dialect, shipped: Rule): Rule {
  const { tags, ...rule } = dialect.hasDurations ? shipped : (inMilliseconds(shipped) as Rule);
  const actions = rule.actions.map(({ rest, ...action }) => ({
    ...action,
    ...(rest && { rest: sinkIn(dialect, rest) }),
  }));
  const mark = dialect.hasTags ? { tags: tags ?? [] } : { name: MARK };
  return { ...rule, actions, ...(tags && mark) };
}
