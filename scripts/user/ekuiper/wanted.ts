/** Derives what a gateway should have from the options that the user gives and those that are installed. */
import type { EkuiperApi } from "./api.ts";
import type { Dialect } from "./dialect.ts";
import { withRegions } from "./function-regions.ts";
import { clientOf, type MqttOptions, readMqttOptions, requireConsistent } from "./mqtt-options.ts";
import { type Loop, loopOf, TOPICS, type Wanted } from "./parts.ts";
import { Conflict } from "./plan.ts";
import { brokerAddress, brokerSettings, deviceOf } from "./service.ts";
import { described, functionsOf, type SqlFunction } from "./sql-function.ts";
import { type GatewayState, ours } from "./state.ts";

const DEFAULTS = {
  loop: "function",
  labeler: "http://127.0.0.1:8787",
  broker: "tcp://127.0.0.1:1883",
  topic: TOPICS.images,
  device: "gateway",
} as const;

/** The options that the user has given. The others stay as they are installed, or else have their defaults. */
export interface GatewayOptions {
  readonly api: EkuiperApi;
  readonly labeler?: string | undefined;
  /** Empty to remove the installed one. */
  readonly token?: string | undefined;
  readonly loop?: Loop | undefined;
  readonly broker?: string | undefined;
  readonly topic?: string | undefined;
  readonly device?: string | undefined;
  /** An option that is absent stays as it is installed. */
  readonly mqtt?: MqttOptions | undefined;
  /** The user's SQL functions; if absent, the installed ones stay. */
  readonly functions?: readonly SqlFunction[] | undefined;
}

/** As wantedOf() returns it, with the regions of the functions' models. */
export async function wantedWithRegions(options: Omit<GatewayOptions, "api">): Promise<Wanted> {
  const wanted = wantedOf(options);
  return { ...wanted, functions: await withRegions(wanted.labeler, wanted.functions) };
}

export function wantedOf({ labeler = DEFAULTS.labeler, token, ...rest }: Omit<GatewayOptions, "api">): Wanted {
  const { loop = DEFAULTS.loop, broker = DEFAULTS.broker, topic = DEFAULTS.topic, device = DEFAULTS.device } = rest;
  const { functions = [], mqtt = {} } = rest;
  return { loop, broker, topic, device, functions, mqtt, labeler: { url: labeler, token: token || undefined } };
}

/** If the stream of images is the user's own, the sinks show the options. */
function installedMqtt(state: GatewayState, stream: Readonly<Record<string, unknown>> | undefined): MqttOptions {
  if (stream !== undefined) return readMqttOptions(stream);
  for (const { id, rule } of ours(state).rules) {
    const sink = rule.actions.map(({ mqtt }) => mqtt).find(Boolean);
    if (sink !== undefined) return readMqttOptions({ ...sink, clientid: clientOf(sink.clientid, id) });
  }
  return {};
}

/** The options of the last installation, as far as the gateway shows them. */
export function installedOptions(state: GatewayState): Omit<GatewayOptions, "api"> {
  const [service] = Object.values(state.service?.Interfaces ?? {});
  const mine = ours(state);
  const images = mine.sources.find(({ name }) => name === "tfdemo");
  const key = state.keys?.find(({ name }) => name === images?.options.CONF_KEY);
  const sinks = mine.rules.flatMap(({ rule }) => rule.actions);
  return {
    labeler: service?.Addr.replace(/\/ekuiper$/, ""),
    token: service?.Options?.headers?.Authorization?.replace(/^Bearer /, ""),
    loop: loopOf(mine.rules.map(({ id }) => id)),
    broker: [sinks.find(({ mqtt }) => mqtt !== undefined)?.mqtt, images?.extra, key?.settings]
      .map((settings) => brokerAddress(settings ?? {}))
      .find(Boolean),
    topic: images?.options.DATASOURCE,
    device: deviceOf(sinks.find(({ rest }) => rest !== undefined)?.rest),
    functions: functionsOf(state.service),
    mqtt: installedMqtt(state, images?.extra.server === undefined ? key?.settings : images.extra),
  };
}

const given = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

/** The given options, and the installed ones for the rest. */
export const together = (before: Omit<GatewayOptions, "api">, options: GatewayOptions) => ({
  ...before,
  ...given(options),
  mqtt: { ...before.mqtt, ...given(options.mqtt ?? {}) },
});

const NAMES = ["loop", "labeler", "token", "broker", "topic", "device"] as const;

/** The options that stay as they are installed, in words, without secrets. */
export function keptOf(before: Omit<GatewayOptions, "api">, options: GatewayOptions): string[] {
  const kept = NAMES.flatMap((name) => {
    const value = before[name];
    if (value === undefined || options[name] !== undefined) return [];
    if (name === "token") return ["the token"];
    if (value === DEFAULTS[name]) return [];
    return [`${name} ${name === "broker" ? brokerSettings(value).server : value}`];
  });
  const functions = options.functions === undefined ? (before.functions ?? []) : [];
  return [...kept, ...functions.map((own) => `function ${described(own)}`)];
}

/** Why the gateway's eKuiper does not support the loop; undefined if it does. */
export function whyNotLoop({ loop }: Wanted, { version, hasCursor }: Dialect): string | undefined {
  if (loop !== "pull" || hasCursor) return undefined;
  return `Loop pull needs eKuiper 2.3.0 or later: httppull streams of ${version} do not ask on from the last row. Take --loop push.`;
}

/**
 * @throws Conflict for options that the gateway's eKuiper does not support.
 * @throws UsageError for options that exclude each other.
 */
export function requireMqtt({ mqtt }: Wanted, { version, hasSessions }: Dialect): void {
  requireConsistent(mqtt);
  if (hasSessions || (mqtt.session !== true && mqtt.version !== "5")) return;
  throw new Conflict(`--session and --mqtt-version 5 need eKuiper 2.4 or later; this is ${version}.`);
}
