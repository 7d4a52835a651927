/** Finds faults between gateway, labeler and broker without changing anything, and names the fix of each. */
import { type EkuiperApi, EkuiperError } from "./api.ts";
import { type Dialect, dialectOf, TRIED } from "./dialect.ts";
import type { Loop } from "./parts.ts";
import { brokerSettings, type Labeler } from "./service.ts";
import { namesOf, type SqlFunction } from "./sql-function.ts";
import { type GatewayState, isOurPlugin } from "./state.ts";

export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "error";
  readonly detail: string;
  readonly fix?: string | undefined;
}

/** eKuiper's time limit for the call of a function, in seconds; it also holds for the first call. */
const CALL_SECONDS = 5;
const PATIENCE = 15_000;

/** An error with its cause, on one line. */
export const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message}: ${cause.message || (cause as { code?: string }).code}`
    : error.message;
};

/** Reports the gateway's version. A gateway that answers has a dialect. */
export type GatewayCheck = Check & ({ state: "error"; dialect?: undefined } | { dialect: Dialect });

export async function checkGateway(api: EkuiperApi): Promise<GatewayCheck> {
  const name = "gateway";
  let dialect: Dialect;
  try {
    dialect = dialectOf(await api.version());
  } catch (error) {
    const fix =
      error instanceof EkuiperError
        ? "Is this eKuiper's REST API? Its port is 9081 unless etc/kuiper.yaml says otherwise."
        : "Start eKuiper, or give the address of its REST API: --gateway http://HOST:9081";
    return { name, state: "error", detail: `${api.base} does not answer: ${reason(error)}`, fix };
  }
  const detail = `eKuiper ${dialect.version} at ${api.base}`;
  const tried = TRIED[dialect.version.replace(/^v/, "")];
  if (tried === "CI") return { name, state: "ok", detail, dialect };
  if (tried !== undefined) return { name, state: "ok", detail: `${detail}, tried by hand on ${tried}`, dialect };
  const fix = `Nobody has run this on it, but on ${Object.keys(TRIED).join(", ")}. Try it: npm run ekuiper -- test`;
  return { name, state: "warning", detail, fix, dialect };
}

/** Whether the labeler answers this machine, takes the token, and has its model loaded in time. */
export async function checkLabelerFromHere({ url, token }: Labeler, loop: Loop): Promise<Check> {
  const name = "labeler from here";
  const get = (path: string) =>
    fetch(url + path, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PATIENCE),
    });
  const start = performance.now();
  try {
    const ready = await get("/readyz");
    const seconds = (performance.now() - start) / 1000;
    if (!ready.ok) {
      const detail = `${url} is not ready: GET /readyz is ${ready.status}: ${await ready.text()}`;
      return {
        name,
        state: "error",
        detail,
        fix: "See what the labeler prints; npm run model -- list shows its models.",
      };
    }
    const path = loop === "function" ? "/models" : "/results?limit=1";
    const answer = await get(path);
    if (answer.status === 401) {
      const fix = "Set a token of the labeler as LABELER_TOKEN in the environment, which is safer than --token TOKEN.";
      return { name, state: "error", detail: `${url} refuses the token (401).`, fix };
    }
    if (answer.status === 403) {
      const { detail = "403" } = (await answer.json().catch(() => ({}))) as { detail?: string };
      return { name, state: "error", detail: `${url} refuses the call.`, fix: detail };
    }
    if (!answer.ok) {
      const fix = "Is this an Edge Labeler, and of this version?";
      return { name, state: "error", detail: `${url}${path} is ${answer.status}.`, fix };
    }
    if (loop === "function" && seconds > CALL_SECONDS) {
      const detail = `${url} needed ${seconds.toFixed(1)} s to be ready; eKuiper waits ${CALL_SECONDS} s for a function.`;
      return {
        name,
        state: "warning",
        detail,
        fix: "It is ready now. Call GET /readyz after each start of the labeler.",
      };
    }
    return { name, state: "ok", detail: `${url} is ready and takes the token` };
  } catch (error) {
    // It need not be reachable from here: it may listen on the gateway's loopback, or behind a relay there.
    const fix = "Start it (npm run serve), or give its address as the gateway sees it: --labeler http://HOST:8787";
    return { name, state: "warning", detail: `${url} does not answer this machine: ${reason(error)}`, fix };
  }
}

const PRIVATE_NET =
  "Set KUIPER__BASIC__ENABLEPRIVATENET=true in eKuiper's environment, or basic.enablePrivateNet: true in its etc/kuiper.yaml, and restart it.";

/**
 * Checks whether the gateway reaches the labeler. eKuiper is told to import a file from an address there that has none.
 * It uses the same guarded dialer as its functions, sinks and sources, and reports the labeler's status or the
 * connection's error.
 */
export async function checkLabelerFromGateway(api: EkuiperApi, labeler: Labeler): Promise<Check> {
  const name = "labeler from gateway";
  const file = `${labeler.url}/ekuiper`;
  const answer = await api.call("POST", "/data/import?partial=1", { file }).catch((error: unknown) => error);
  const text = answer instanceof Error ? reason(answer) : String(answer);
  if (/cannot download the file with status: 4\d\d/.test(text)) {
    return { name, state: "ok", detail: `the gateway reaches ${labeler.url}` };
  }
  const message = /"message":"(.*)"\}/s.exec(text)?.[1]?.replaceAll('\\"', '"') ?? text;
  if (text.includes("is in internal network")) {
    return { name, state: "error", detail: `eKuiper refuses to call ${labeler.url}: ${message}`, fix: PRIVATE_NET };
  }
  const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(new URL(labeler.url).hostname);
  return {
    name,
    state: "error",
    detail: `the gateway does not reach ${labeler.url}: ${message}`,
    fix: isLocal
      ? "A loopback address means the gateway itself there. Give the labeler's address in the network: --labeler http://HOST:8787, and start it with npm run serve -- --ip 0.0.0.0"
      : "Is the labeler started with npm run serve -- --ip 0.0.0.0, and does no firewall stand between?",
  };
}

/**
 * Checks whether a plugin's function hides the service's: eKuiper looks at plugins first.
 *
 * @param loop The loop whose rules call the service; undefined if there is none, so that nothing is hidden.
 */
export function checkPlugins(
  { plugins }: GatewayState,
  gateway: string,
  loop: Loop | undefined,
  functions: readonly SqlFunction[],
): Check {
  const name = "plugins";
  const names = namesOf(functions);
  for (const plugin of plugins) {
    const hidden = plugin.functions?.find((offered) => names.includes(offered));
    if (hidden === undefined) continue;
    const remove = `curl -X DELETE ${gateway}/plugins/portables/${plugin.name}, and restart eKuiper: it goes on calling the plugin until then.`;
    if (isOurPlugin(plugin)) {
      const detail = `our plugin ${plugin.name} gives rules ${hidden}(self), as an array: ${hidden}(self)[0]->label`;
      if (loop !== "function") return { name, state: "ok", detail };
      const fix = `Keep the plugin, whose rules need nothing else, or remove it: ${remove}`;
      return { name, state: "error", detail: `${detail}. It hides the service's ${hidden}.`, fix };
    }
    return {
      name,
      state: loop === "function" ? "error" : "warning",
      detail: `Portable plugin ${plugin.name} offers ${hidden}, which hides the labeler's.`,
      fix: `Remove it, ${remove}`,
    };
  }
  return { name, state: "ok", detail: `no plugin offers ${names.join(", ")}` };
}

const DELETED_PLUGINS = "deleted plugins";

/** @param text eKuiper's message about a rule that calls labelImage. */
const hiddenByDeleted = (text: string): Check => ({
  name: DELETED_PLUGINS,
  state: "error",
  detail: `labelImage is not the labeler's: ${text}`,
  fix: "If a plugin such as pyai was deleted, restart eKuiper: it goes on calling the plugin until then.",
});

/** The fix for a rule that eKuiper refused because of a deleted plugin; undefined if that is not the reason. */
export const checkRefusal = (text: string): Check | undefined =>
  /validate function \w+ error/.test(text) ? hiddenByDeleted(text) : undefined;

/**
 * Checks whether a deleted plugin still hides labelImage: eKuiper keeps its functions until it is restarted, although
 * no list shows them. Validating a rule calls the function itself, and a deleted plugin does not answer.
 */
export async function checkDeletedPlugins(api: EkuiperApi, state: GatewayState): Promise<Check> {
  const name = DELETED_PLUGINS;
  const stream = state.sources.find(({ kind, name }) => kind === "STREAM" && name === "tfdemo");
  if (state.service === undefined || stream === undefined) {
    return { name, state: "ok", detail: "known as soon as service and stream are installed" };
  }
  const rule = { id: "edge_labeler_check", sql: "SELECT labelImage(self) FROM tfdemo", actions: [{ nop: {} }] };
  try {
    await api.call("POST", "/rules/validate", rule);
    const ours = state.plugins.find(isOurPlugin);
    const whose = ours === undefined ? "the labeler's" : `our plugin ${ours.name}'s`;
    return { name, state: "ok", detail: `labelImage is ${whose}` };
  } catch (error) {
    return hiddenByDeleted(reason(error));
  }
}

/**
 * Finds the user's streams whose CONF_KEY does not exist: eKuiper then silently uses its defaults. Keys of the files in
 * etc/ are visible only if eKuiper was built with the manager's metadata, as its releases are.
 */
export async function checkConfKeys(api: EkuiperApi): Promise<Check> {
  const name = "configuration keys";
  const missing: string[] = [];
  const unseen: string[] = [];
  for (const kind of ["streams", "tables"] as const) {
    for (const stream of await api.sources(kind)) {
      const { confKey: key, type = "mqtt" } = await api.sourceOptions(kind, stream);
      if (typeof key !== "string" || key === "default") continue;
      const keys = await confKeys(api, String(type));
      if (keys.names.includes(key) || keys.names.includes(key.toLowerCase())) continue;
      (keys.complete ? missing : unseen).push(`${stream} (${type} ${key})`);
    }
  }
  if (missing.length > 0) {
    return {
      name,
      state: "warning",
      detail: `CONF_KEY does not exist, so that the defaults are in use: ${missing.join(", ")}`,
      fix: 'Create the key, or write its settings into the stream: EXTRA="{\\"server\\":\\"tcp://HOST:1883\\"}"',
    };
  }
  if (unseen.length > 0) {
    return {
      name,
      state: "warning",
      detail: `This build of eKuiper does not show whether CONF_KEY exists: ${unseen.join(", ")}`,
      fix: "Look into its etc/mqtt_source.yaml and etc/sources/: a missing key silently means the defaults.",
    };
  }
  return { name, state: "ok", detail: "none missing; what is installed here needs none" };
}

async function confKeys(api: EkuiperApi, type: string): Promise<{ names: string[]; complete: boolean }> {
  const yaml = await api.call("GET", `/metadata/sources/yaml/${type}`).catch(() => undefined);
  if (yaml !== undefined) return { names: Object.keys(JSON.parse(yaml)), complete: true };
  const exported: { sourceConfig?: Record<string, string> } = JSON.parse(await api.call("GET", "/data/export"));
  return { names: Object.keys(JSON.parse(exported.sourceConfig?.[type] ?? "{}")), complete: false };
}

/** Whether the broker answers this machine. The gateway's view is in the status of its rules. */
export async function checkBroker(broker: string): Promise<Check> {
  const name = "broker from here";
  const { server } = brokerSettings(broker);
  try {
    const { connectAsync } = await import("./mqtt.ts");
    const client = await connectAsync(broker, { reconnectPeriod: 0, connectTimeout: 5000 });
    await client.endAsync();
    return { name, state: "ok", detail: `${server} answers` };
  } catch (error) {
    const fix = /not authorized|bad user ?name/i.test(reason(error))
      ? "Give user and password: --broker tcp://USER:PASSWORD@HOST:1883"
      : "Start it, or give its address as the gateway sees it: --broker tcp://HOST:1883";
    return { name, state: "warning", detail: `${server} does not answer this machine: ${reason(error)}`, fix };
  }
}
