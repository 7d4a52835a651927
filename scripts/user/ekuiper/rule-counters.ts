/** Reads a rule's counters from its status in eKuiper, whose keys look like `sink_mqtt_0_0_records_out_total`. */
import type { RuleStatus } from "./api.ts";
import { withoutCredentials } from "./printable.ts";

export interface RuleError {
  /** The source, operator or sink, for example `sink_rest_0_0`. */
  readonly place: string;
  readonly text: string;
  /** A time by the gateway's clock; undefined if eKuiper does not report it. */
  readonly at: Date | undefined;
}

export interface RuleCounters {
  /** The sum of all sources. */
  readonly rowsIn: number;
  /** The sum of all sinks. */
  readonly rowsOut: number;
  readonly errors: number;
  /** The newest error of each source, operator and sink, the newest first. */
  readonly lastErrors: readonly RuleError[];
  /** When a sink last had a row to put out; undefined if it never had one. */
  readonly lastOut: Date | undefined;
  /** The first source or sink that has lost its connection, or does not have one yet. */
  readonly offline: { readonly place: string; readonly why: string; readonly since: Date | undefined } | undefined;
}

const CONNECTED = 1;

/** A time in eKuiper's format, in milliseconds; 0 stands for never. */
function dateOf(value: string | number | undefined): Date | undefined {
  const ms = Number(value ?? 0);
  return ms > 0 ? new Date(ms) : undefined;
}

const newestFirst = (a: Date | undefined, b: Date | undefined) => (b?.getTime() ?? 0) - (a?.getTime() ?? 0);

export function readCounters(status: RuleStatus): RuleCounters {
  const keys = Object.keys(status);
  const sum = (pattern: RegExp) =>
    keys.reduce((total, key) => total + (pattern.test(key) ? Number(status[key]) : 0), 0);
  const places = (suffix: string) =>
    keys.filter((key) => key.endsWith(suffix)).map((key) => key.slice(0, -suffix.length));

  const lastErrors = places("_last_exception")
    .filter((place) => status[`${place}_last_exception`])
    .map((place) => ({
      place,
      text: withoutCredentials(String(status[`${place}_last_exception`])),
      at: dateOf(status[`${place}_last_exception_time`]),
    }))
    .toSorted((a, b) => newestFirst(a.at, b.at));
  const lastOut = keys
    .filter((key) => /^sink_.*_last_invocation$/.test(key))
    .map((key) => dateOf(status[key]))
    .toSorted(newestFirst)[0];

  // 0 means that it is connecting, but sources and sinks without a connection, such as those of memory, have 0, too.
  const offline = places("_connection_status").find((place) => {
    const state = Number(status[`${place}_connection_status`]);
    const hasTried = ["last_try_time", "last_disconnected_time"].some((time) =>
      dateOf(status[`${place}_connection_${time}`]),
    );
    return state !== CONNECTED && (state < 0 || hasTried);
  });
  return {
    rowsIn: sum(/^source_.*_records_in_total$/),
    rowsOut: sum(/^sink_.*_records_out_total$/),
    errors: sum(/_exceptions_total$/),
    lastErrors,
    lastOut,
    offline:
      offline === undefined
        ? undefined
        : {
            place: offline,
            why: String(status[`${offline}_connection_last_disconnected_message`] || "it is connecting"),
            since: dateOf(status[`${offline}_connection_last_disconnected_time`]),
          },
  };
}

/** A time and how long ago it was: "2026-11-30 07:56:28 UTC, 3 min ago". */
export function dated(at: Date, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - at.getTime()) / 1000));
  const [count, unit] =
    seconds < 120
      ? [seconds, "s"]
      : seconds < 7200
        ? [Math.round(seconds / 60), "min"]
        : seconds < 172_800
          ? [Math.round(seconds / 3600), "h"]
          : [Math.round(seconds / 86_400), "days"];
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC, ${count} ${unit} ago`;
}
