/** What may be wrong between gateway, labeler and broker, found without changing anything, each with how to mend it. */
import mqtt from "mqtt";
import { type EkuiperApi, EkuiperError } from "./api.ts";
import { type Dialect, dialectOf, TRIED } from "./dialect.ts";
import { FUNCTIONS, type Loop, PUSH_PATH } from "./parts.ts";
import { brokerSettings, type Labeler } from "./service.ts";
import { calls, type GatewayState, isRunning } from "./state.ts";

export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "error";
  readonly detail: string;
  readonly mend?: string | undefined;
}

/** eKuiper gives a call of a function that long, the first one too. */
const CALL_SECONDS = 5;
const PATIENCE = 15_000;

const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message}: ${cause.message || (cause as { code?: string }).code}`
    : error.message;
};

/** A gateway that answers has a dialect. */
export type GatewayCheck = Check & ({ state: "error"; dialect?: undefined } | { dialect: Dialect });

export async function checkGateway(api: EkuiperApi): Promise<GatewayCheck> {
  const name = "gateway";
  let dialect: Dialect;
  try {
    dialect = dialectOf(await api.version());
  } catch (error) {
    const mend =
      error instanceof EkuiperError
        ? "Is this eKuiper's REST API? Its port is 9081 unless etc/kuiper.yaml says otherwise."
        : "Start eKuiper, or give the address of its REST API: --gateway http://HOST:9081";
    return { name, state: "error", detail: `${api.base} does not answer: ${reason(error)}`, mend };
  }
  const detail = `eKuiper ${dialect.version} at ${api.base}`;
  const tried = TRIED[dialect.version.replace(/^v/, "")];
  if (tried === "CI") return { name, state: "ok", detail, dialect };
  if (tried !== undefined) return { name, state: "ok", detail: `${detail}, tried by hand on ${tried}`, dialect };
  const mend = `Nobody has run this on it, but on ${Object.keys(TRIED).join(", ")}. Try it: npm run ekuiper -- test`;
  return { name, state: "warning", detail, mend, dialect };
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
        mend: "See what the labeler prints; npm run model -- list shows its models.",
      };
    }
    const path = loop === "function" ? "/models" : "/results?limit=1";
    const answer = await get(path);
    if (answer.status === 401) {
      const mend = "Set a token of the labeler as LABELER_TOKEN in the environment, which is safer than --token TOKEN.";
      return { name, state: "error", detail: `${url} refuses the token (401).`, mend };
    }
    if (answer.status === 403) {
      const { detail = "403" } = (await answer.json().catch(() => ({}))) as { detail?: string };
      return { name, state: "error", detail: `${url} refuses the call.`, mend: detail };
    }
    if (!answer.ok) {
      const mend = "Is this an Edge Labeler, and of this version?";
      return { name, state: "error", detail: `${url}${path} is ${answer.status}.`, mend };
    }
    if (loop === "function" && seconds > CALL_SECONDS) {
      const detail = `${url} needed ${seconds.toFixed(1)} s to be ready; eKuiper waits ${CALL_SECONDS} s for a function.`;
      return {
        name,
        state: "warning",
        detail,
        mend: "It is ready now. Call GET /readyz after each start of the labeler.",
      };
    }
    return { name, state: "ok", detail: `${url} is ready and takes the token` };
  } catch (error) {
    // It need not be reachable from here: it may be on the gateway's loopback, or behind a relay there.
    const mend = "Start it (npm start), or give its address as the gateway sees it: --labeler http://HOST:8787";
    return { name, state: "warning", detail: `${url} does not answer this machine: ${reason(error)}`, mend };
  }
}

const PRIVATE_NET =
  "Set KUIPER__BASIC__ENABLEPRIVATENET=true in eKuiper's environment, or basic.enablePrivateNet: true in its etc/kuiper.yaml, and restart it.";

/**
 * Whether the gateway reaches the labeler. It is made to fetch an address there that has no file to import, by the same
 * guarded dialer that its functions, sinks and sources use: it answers with the labeler's status or with what went wrong.
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
    return { name, state: "error", detail: `eKuiper refuses to call ${labeler.url}: ${message}`, mend: PRIVATE_NET };
  }
  const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(new URL(labeler.url).hostname);
  return {
    name,
    state: "error",
    detail: `the gateway does not reach ${labeler.url}: ${message}`,
    mend: isLocal
      ? "A loopback address means the gateway itself there. Give the labeler's address in the network: --labeler http://HOST:8787, and start it with npm run serve -- --ip 0.0.0.0"
      : "Is the labeler started with npm run serve -- --ip 0.0.0.0, and does no firewall stand between?",
  };
}

/** Whether a plugin's function hides the service's, which matters to rules that call it. eKuiper looks at plugins first. */
export function checkPlugins({ plugins }: GatewayState, gateway: string, loop: Loop): Check {
  const name = "plugins";
  for (const plugin of plugins) {
    const hidden = plugin.functions?.find((offered) => (FUNCTIONS as readonly string[]).includes(offered));
    if (hidden === undefined) continue;
    return {
      name,
      state: loop === "function" ? "error" : "warning",
      detail: `Portable plugin ${plugin.name} offers ${hidden}, which hides the labeler's.`,
      mend: `Remove it, curl -X DELETE ${gateway}/plugins/portables/${plugin.name}, and restart eKuiper: it goes on calling the plugin until then.`,
    };
  }
  return { name, state: "ok", detail: `no plugin offers ${FUNCTIONS.join(", ")}` };
}

/**
 * Whether a plugin that was deleted still hides labelImage: eKuiper keeps its functions until it is restarted, though no
 * list shows them. Checking a rule asks the function itself, and a deleted plugin does not answer.
 */
export async function checkDeletedPlugins(api: EkuiperApi, state: GatewayState): Promise<Check> {
  const name = "deleted plugins";
  const stream = state.sources.find(({ kind, name }) => kind === "STREAM" && name === "tfdemo");
  if (state.service === undefined || stream === undefined) {
    return { name, state: "ok", detail: "known as soon as service and stream are installed" };
  }
  const rule = { id: "edge_labeler_check", sql: "SELECT labelImage(self) FROM tfdemo", actions: [{ nop: {} }] };
  try {
    await api.call("POST", "/rules/validate", rule);
    return { name, state: "ok", detail: "labelImage is the labeler's" };
  } catch (error) {
    return {
      name,
      state: "error",
      detail: `labelImage is not the labeler's: ${reason(error)}`,
      mend: "If a plugin such as pyai was deleted, restart eKuiper: it goes on calling the plugin until then.",
    };
  }
}

/**
 * Streams of the user's whose CONF_KEY does not exist: eKuiper silently takes the defaults then.
 * Keys of the files in etc/ can only be seen where eKuiper was built with the manager's metadata, as its releases are.
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
      mend: 'Create the key, or write its settings into the stream: EXTRA="{\\"server\\":\\"tcp://HOST:1883\\"}"',
    };
  }
  if (unseen.length > 0) {
    return {
      name,
      state: "warning",
      detail: `This build of eKuiper does not show whether CONF_KEY exists: ${unseen.join(", ")}`,
      mend: "Look into its etc/mqtt_source.yaml and etc/sources/: a missing key silently means the defaults.",
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
    const client = await mqtt.connectAsync(broker, { reconnectPeriod: 0, connectTimeout: 5000 });
    await client.endAsync();
    return { name, state: "ok", detail: `${server} answers` };
  } catch (error) {
    const mend = /not authorized|bad user ?name/i.test(reason(error))
      ? "Give user and password: --broker tcp://USER:PASSWORD@HOST:1883"
      : "Start it, or give its address as the gateway sees it: --broker tcp://HOST:1883";
    return { name, state: "warning", detail: `${server} does not answer this machine: ${reason(error)}`, mend };
  }
}

/** Whether the labeler has a push target that looks like this gateway, and gets through to it once a rule takes it in. */
export async function checkPush(api: EkuiperApi, state: GatewayState, { url, token }: Labeler): Promise<Check> {
  const name = "push";
  const { hostname } = new URL(api.base);
  const isTakenIn = state.rules.some((rule) => rule.id === "labels_pushed" && isRunning(rule));
  const mend = `Start the labeler with PUSH_TARGETS=http://${hostname}:10081${PUSH_PATH} (10081 is eKuiper's source.httpServerPort): npm run serve or npm start take --var PUSH_TARGETS:ADDRESS.`;
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/push`, { headers, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`GET /push is ${response.status}`);
    const { targets }: { targets: { target: string; lastError: string | null; waiting: number }[] } =
      await response.json();
    const ways = targets.filter(({ target }) => new URL(target).pathname === PUSH_PATH);
    const way = ways.find(({ target }) => new URL(target).hostname === hostname) ?? ways[0];
    if (way === undefined) {
      return {
        name,
        state: "warning",
        detail: `The labeler posts results to no address that ends in ${PUSH_PATH}.`,
        mend,
      };
    }
    if (!isTakenIn) {
      return {
        name,
        state: "ok",
        detail: `the labeler posts results to ${way.target}, as soon as a rule takes them in`,
      };
    }
    if (way.lastError !== null) {
      const detail = `The labeler does not get through to ${way.target}, ${way.waiting} results wait: ${way.lastError}`;
      return {
        name,
        state: "warning",
        detail,
        mend: "It tries again by itself. A rule must run for the address to exist.",
      };
    }
    return { name, state: "ok", detail: `the labeler posts results to ${way.target}` };
  } catch (error) {
    return {
      name,
      state: "warning",
      detail: `The labeler does not say where it posts results to: ${reason(error)}`,
      mend,
    };
  }
}

/** What the engine says of the rules that use the labeler: those that do not run, and their last errors. */
export async function checkRules(api: EkuiperApi, state: GatewayState, ids: readonly string[]): Promise<Check[]> {
  const concerned = state.rules.filter(
    ({ id, rule }) => ids.includes(id) || FUNCTIONS.some((offered) => calls(rule, offered)),
  );
  return Promise.all(
    concerned.map(async ({ id, status, rule }): Promise<Check> => {
      const name = `rule ${id}`;
      if (!isRunning({ id, status })) {
        const isMeant = rule.triggered === false;
        const mend = isMeant ? undefined : `Start it: curl -X POST ${api.base}/rules/${id}/start`;
        return { name, state: isMeant ? "ok" : "warning", detail: status, mend };
      }
      const counters = await api.ruleStatus(id);
      const sum = (pattern: RegExp) =>
        Object.entries(counters).reduce((total, [key, value]) => total + (pattern.test(key) ? Number(value) : 0), 0);
      const detail = `running, ${sum(/^source_.*_records_in_total$/)} rows in, ${sum(/^sink_.*_records_out_total$/)} out`;
      const offline = Object.entries(counters).find(
        ([key, value]) => key.endsWith("_connection_status") && value === -1,
      );
      if (offline !== undefined) {
        const at = offline[0].replace("_connection_status", "");
        const why = counters[`${at}_connection_last_disconnected_message`] ?? "";
        const mend = "Is the broker's address right as the gateway sees it? --broker tcp://HOST:1883";
        return { name, state: "error", detail: `${detail}; ${at} is not connected: ${why}`, mend };
      }
      const errors = sum(/_exceptions_total$/);
      if (errors === 0) return { name, state: "ok", detail };
      const last = Object.entries(counters).find(([key, value]) => key.endsWith("_last_exception") && value)?.[1];
      return { name, state: "warning", detail: `${detail}, ${errors} errors, the last: ${last}` };
    }),
  );
}
