/** The commands of `npm run ekuiper` for a gateway: install, uninstall, status, test. */
import { randomUUID } from "node:crypto";
import { CommandError } from "../../command-line/command.ts";
import { type EkuiperApi, EkuiperError } from "./api.ts";
import { functionCall, sinkCall } from "./as-rule.ts";
import { carryOut, type Failure } from "./carry-out.ts";
import { checkAge } from "./check-age.ts";
import { callAt, checkAnswers, fillsHeaders } from "./check-answers.ts";
import { checkFunctions } from "./check-functions.ts";
import { checkPush, retryPush } from "./check-push.ts";
import { checkRules } from "./check-rules.ts";
import {
  type Check,
  checkBroker,
  checkConfKeys,
  checkDeletedPlugins,
  checkGateway,
  checkLabelerFromGateway,
  checkLabelerFromHere,
  checkPlugins,
  checkRefusal,
} from "./checks.ts";
import { type Dialect, NEWEST } from "./dialect.ts";
import { withRegions } from "./function-regions.ts";
import { topicFor } from "./mqtt-client.ts";
import { clientOf, type MqttOptions, readMqttOptions, requireConsistent, requireNewClient } from "./mqtt-options.ts";
import { NoLabel } from "./own-rule.ts";
import { type Loop, loopOf, partsOf, RULE_IDS, TOPICS, type Wanted } from "./parts.ts";
import { Conflict, installSteps, type Step, uninstallSteps } from "./plan.ts";
import { brokerAddress, brokerSettings, deviceOf } from "./service.ts";
import { described, functionsOf, type SqlFunction } from "./sql-function.ts";
import { EMPTY, type GatewayState, isOurPlugin, ours, readState } from "./state.ts";
import { type Tried, type TryOptions, tryLoop } from "./try.ts";

const DEFAULTS = {
  loop: "function",
  labeler: "http://127.0.0.1:8787",
  broker: "tcp://127.0.0.1:1883",
  topic: TOPICS.images,
  device: "gateway",
} as const;

const LABEL_SECONDS = 10;

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
async function wantedWithRegions(options: Omit<GatewayOptions, "api">): Promise<Wanted> {
  const wanted = wantedOf(options);
  return { ...wanted, functions: await withRegions(wanted.labeler, wanted.functions) };
}

function wantedOf({ labeler = DEFAULTS.labeler, token, ...rest }: Omit<GatewayOptions, "api">): Wanted {
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
function installedOptions(state: GatewayState): Omit<GatewayOptions, "api"> {
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
const together = (before: Omit<GatewayOptions, "api">, options: GatewayOptions) => ({
  ...before,
  ...given(options),
  mqtt: { ...before.mqtt, ...given(options.mqtt ?? {}) },
});

const NAMES = ["loop", "labeler", "token", "broker", "topic", "device"] as const;

/** The options that stay as they are installed, in words, without secrets. */
function keptOf(before: Omit<GatewayOptions, "api">, options: GatewayOptions): string[] {
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
function whyNotLoop({ loop }: Wanted, { version, hasCursor }: Dialect): string | undefined {
  if (loop !== "pull" || hasCursor) return undefined;
  return `Loop pull needs eKuiper 2.3.0 or later: httppull streams of ${version} do not ask on from the last row. Take --loop push.`;
}

/**
 * @throws Conflict for options that the gateway's eKuiper does not support.
 * @throws UsageError for options that exclude each other.
 */
function requireMqtt({ mqtt }: Wanted, { version, hasSessions }: Dialect): void {
  requireConsistent(mqtt);
  if (hasSessions || (mqtt.session !== true && mqtt.version !== "5")) return;
  throw new Conflict(`--session and --mqtt-version 5 need eKuiper 2.4 or later; this is ${version}.`);
}

const DEAF_IN_5: Check = {
  name: "MQTT 5",
  state: "warning",
  detail: "With MQTT 5 the stream of eKuiper 2.4.2 stays deaf when its connection to the broker was broken.",
  fix: "Give --mqtt-version 3.1.1, which brokers of MQTT 5 take, too; or restart the rules when the broker was away.",
};

/** @param loop The loop that is or will be installed; undefined for none. */
async function checkAll(
  api: EkuiperApi,
  state: GatewayState,
  wanted: Wanted,
  loop: Loop | undefined,
): Promise<Check[]> {
  const { labeler, broker } = wanted;
  const checks = await Promise.all([
    checkLabelerFromHere(labeler, wanted.loop),
    checkLabelerFromGateway(api, labeler),
    checkBroker(broker),
    checkPlugins(state, api.base, loop, wanted.functions),
    checkConfKeys(api),
    checkFunctions(labeler, wanted.functions),
    ...(loop === "push" ? [checkPush(api, state, labeler)] : []),
  ]);
  return wanted.mqtt.version === "5" ? [...checks.flat(), DEAF_IN_5] : checks.flat();
}

export const failed = (checks: readonly Check[]) => checks.some(({ state }) => state === "error");

export interface Installed {
  /** The gateway's release of eKuiper; absent if the gateway does not answer. */
  readonly version?: string | undefined;
  readonly checks: readonly Check[];
  /** The steps that were done, or would be without dryRun. */
  readonly steps: readonly Step[];
  readonly done: boolean;
  /** The options that differ from the defaults because they were installed before. */
  readonly kept: readonly string[];
  /** The step that eKuiper refused, and the outcome of those before it. */
  readonly failure?: Failure | undefined;
}

/**
 * Brings the gateway to the wanted loop, unless a check fails. What was installed before stays, except for what the
 * options change.
 *
 * @throws Conflict
 * @throws EkuiperError
 */
export async function install(
  options: GatewayOptions,
  { dryRun, force }: { dryRun: boolean; force: boolean },
): Promise<Installed> {
  const { api } = options;
  const gateway = await checkGateway(api);
  if (gateway.state === "error") {
    // The steps are known all the same, for an empty gateway with the newest eKuiper.
    const steps = dryRun ? installSteps(EMPTY, await partsOf(wantedOf(options), NEWEST)) : [];
    return { checks: [gateway], steps, done: false, kept: [] };
  }
  const state = await readState(api);
  const before = installedOptions(state);
  const kept = keptOf(before, options);
  const wanted = await wantedWithRegions(together(before, options));
  const unable = whyNotLoop(wanted, gateway.dialect);
  if (unable !== undefined) throw new Conflict(unable);
  requireMqtt(wanted, gateway.dialect);
  if (before.topic !== undefined && before.topic !== wanted.topic) requireNewClient(before.mqtt ?? {}, wanted.mqtt);
  const { version } = gateway.dialect;
  const parts = await partsOf(wanted, gateway.dialect);
  const checks = [gateway, ...(await checkAll(api, state, wanted, wanted.loop))];
  const steps = installSteps(state, parts, force);
  if (dryRun || (!force && failed(checks))) return { version, checks, steps, done: false, kept };
  const failure = await carryOut(api, steps);
  if (failure !== undefined) {
    const refusal = checkRefusal(failure.reason);
    return {
      version,
      checks: refusal === undefined ? checks : [...checks, refusal],
      steps,
      done: false,
      kept,
      failure,
    };
  }
  return { version, checks: await checkAgain(api, checks, wanted), steps, done: true, kept };
}

/** The checks, including those that need everything to be installed. */
async function checkAgain(api: EkuiperApi, checks: readonly Check[], { loop, labeler }: Wanted): Promise<Check[]> {
  const state = await readState(api);
  if (loop === "function") return [...checks, await checkDeletedPlugins(api, state)];
  if (loop !== "push") return [...checks];
  // The rule that reads results exists now, so that waiting results need not wait any longer.
  await retryPush(labeler).catch(() => undefined);
  return [...checks.filter(({ name }) => name !== "push"), await checkPush(api, state, labeler)];
}

/** Removes what was installed. @throws Conflict @throws EkuiperError */
export async function uninstall(api: EkuiperApi, dryRun: boolean): Promise<Step[]> {
  const gateway = await checkGateway(api);
  if (gateway.state === "error") throw new CommandError(`${gateway.detail}\n→ ${gateway.fix}`);
  const steps = uninstallSteps(await readState(api));
  if (dryRun) return steps;
  for (const [index, step] of steps.entries()) {
    await step.run(api).catch((error: unknown) => {
      if (!(error instanceof EkuiperError)) throw error;
      const gone = steps.slice(0, index).map(({ why }) => `\n  ${why}`);
      const done = gone.length === 0 ? "Nothing was taken away before." : `This was done before:${gone.join("")}`;
      throw new CommandError(`${error.message}\n${done}\nWhat is left goes with the next uninstall.`, 1);
    });
  }
  return steps;
}

export interface Status {
  /** The gateway's release of eKuiper; absent if the gateway does not answer. */
  readonly version?: string | undefined;
  readonly checks: readonly Check[];
  readonly installed: readonly string[];
  /** The steps that install would make with the same options. */
  readonly pending: readonly Step[];
}

/** Checks everything, and changes nothing on the gateway. */
export async function status(options: GatewayOptions): Promise<Status> {
  const { api } = options;
  const gateway = await checkGateway(api);
  if (gateway.state === "error") return { checks: [gateway], installed: [], pending: [] };
  const state = await readState(api);
  const before = installedOptions(state);
  const wanted = await wantedWithRegions(together(before, options));
  const mine = ours(state);
  const installed = [
    ...state.plugins.filter(isOurPlugin).map(({ name }) => `plugin ${name}`),
    ...(state.service === undefined ? [] : ["service labeler"]),
    ...functionsOf(state.service).map((own) => `function ${described(own)}`),
    ...mine.sources.map(({ kind, name }) => `${kind.toLowerCase()} ${name}`),
    ...mine.rules.map(({ id }) => `rule ${id}`),
  ];
  const isAsked = before.loop !== undefined || options.loop !== undefined || options.labeler !== undefined;
  const unable = whyNotLoop(wanted, gateway.dialect);
  const pending =
    isAsked && unable === undefined ? installSteps(state, await partsOf(wanted, gateway.dialect), true) : [];
  const checks = [
    gateway,
    ...(await checkAll(api, state, wanted, options.loop ?? before.loop)),
    ...(unable === undefined ? [] : [{ name: "loop", state: "error", detail: unable } as const]),
    ...(before.loop === undefined || unable !== undefined
      ? []
      : [checkAge(installSteps(state, await partsOf(wantedOf(before), gateway.dialect), true))]),
    await checkDeletedPlugins(api, state),
    ...(await checkAnswers(api, state, options.labeler)),
    ...(await checkRules(api, state, RULE_IDS)),
  ];
  return { version: gateway.dialect.version, checks, installed, pending };
}

/** Sends one image through the installed loop. @throws NoLabel @throws CommandError if nothing is installed. */
export async function tryOnce(options: GatewayOptions, image: Uint8Array): Promise<Tried & { loop: Loop }> {
  const { api } = options;
  const gateway = await checkGateway(api);
  if (gateway.state === "error") throw new CommandError(`${gateway.detail}\n→ ${gateway.fix}`);
  const state = await readState(api);
  const before = installedOptions(state);
  if (before.loop === undefined)
    throw new CommandError("Nothing is installed on this gateway: npm run ekuiper -- install");
  const { loop, labeler, broker, device }: Wanted = wantedOf({ ...together(before, options), loop: before.loop });
  const call = await callOf(api, state, loop);
  const listened = state.sources.find(({ name }) => name === "tfdemo")?.options.DATASOURCE ?? TOPICS.images;
  // A target that was away is retried at once; the outcome shows in the label, or below.
  if (loop === "push") await retryPush(labeler).catch(() => undefined);
  try {
    const tried = await tryLoop(api, {
      loop,
      labeler,
      call: { ...call, ...callAt(call, options.labeler) },
      broker,
      topic: topicFor(listened, "edge-labeler-test"),
      device,
      image,
      seconds: LABEL_SECONDS,
    });
    return { ...tried, loop };
  } catch (error) {
    if (!(error instanceof NoLabel)) throw error;
    const lines = [error.message];
    if (/^\$share\//.test(listened)) {
      lines.push(`The gateway shares ${listened} with other clients: one of them may have got the image.`);
    }
    if (loop === "push") {
      // The rules do not know about results that do not reach them.
      const { detail, fix } = await checkPush(api, state, labeler);
      lines.push(detail, ...(fix === undefined ? [] : [`→ ${fix}`]));
    }
    throw new NoLabel(lines.join("\n"));
  }
}

/** The call that the loop's rule makes of the labeler. @throws CommandError */
async function callOf(api: EkuiperApi, state: GatewayState, loop: Loop): Promise<TryOptions["call"]> {
  const again = "Install again: npm run ekuiper -- install, with the same options.";
  if (loop === "function") {
    const call = functionCall(state, "labelImage");
    if (call === undefined) throw new CommandError(`The service labeler does not offer labelImage. ${again}`);
    return call;
  }
  const id = `edge-labeler-test-${randomUUID()}`;
  const rule = state.rules.find(({ id }) => id === "handover")?.rule;
  const call = rule && sinkCall(rule, { id, device: "edge-labeler-test" }, await fillsHeaders(api));
  if (call === undefined) throw new CommandError(`Rule handover submits to no /ekuiper/sink. ${again}`);
  return { ...call, id };
}
