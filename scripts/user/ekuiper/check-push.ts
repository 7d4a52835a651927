/** Checks whether the labeler posts its results to this very gateway, and with what outcome. */
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import type { EkuiperApi } from "./api.ts";
import { type Check, reason } from "./checks.ts";
import { PUSH_PATH } from "./parts.ts";
import { dated } from "./rule-counters.ts";
import type { Labeler } from "./service.ts";
import { type GatewayState, isRunning } from "./state.ts";

const PATIENCE = 15_000;
/** eKuiper's default, unless source.httpServerPort sets another. */
const USUAL_PORT = "10081";
const PROBE = "edge_labeler_check";

/** The labeler's GET /push about one target. */
interface Target {
  readonly target: string;
  readonly waiting: number;
  readonly retryAt: string | null;
  readonly lastError: string | null;
}

async function ask({ url, token }: Labeler, path: string, method: "GET" | "POST"): Promise<readonly Target[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { method, headers, signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`${method} ${path} is ${response.status}`);
  const { targets }: { targets: Target[] } = await response.json();
  return targets;
}

/** Makes the labeler try all its targets at once instead of waiting for their next retry. */
export async function retryPush(labeler: Labeler): Promise<void> {
  await ask(labeler, "/push/retry", "POST");
}

/**
 * The port on which the gateway's httppush streams listen. eKuiper names it only in the answer to the trial of a rule;
 * the trial is deleted without having run. Undefined if the stream does not exist, or eKuiper has no trials.
 */
async function pushPort(api: EkuiperApi, state: GatewayState): Promise<string | undefined> {
  if (!state.sources.some(({ name }) => name === "labeler_pushed")) return undefined;
  const trial = { id: PROBE, sql: "SELECT id FROM labeler_pushed" };
  const answer = await api.call("POST", "/ruletest", trial).catch(() => undefined);
  if (answer === undefined) return undefined;
  await api.call("DELETE", `/ruletest/${PROBE}`).catch(() => undefined);
  const { port }: { port?: number } = JSON.parse(answer);
  return port === undefined ? undefined : String(port);
}

/** The IP addresses of a host; for this machine, which has several names, all of its addresses. */
async function addressesOf(host: string): Promise<ReadonlySet<string>> {
  const name = host.replace(/^\[|\]$/g, "");
  const found = await lookup(name, { all: true }).catch(() => []);
  const addresses = new Set([name, ...found.map(({ address }) => address)]);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  if (own.some(({ address }) => addresses.has(address))) for (const { address } of own) addresses.add(address);
  return addresses;
}

async function isSameHost(a: string, b: string): Promise<boolean> {
  const [of, those] = await Promise.all([addressesOf(a), addressesOf(b)]);
  return [...of].some((address) => those.has(address));
}

const portOf = ({ port, protocol }: URL) => port || (protocol === "https:" ? "443" : "80");

/**
 * Checks whether the labeler has this gateway as a push target, and whether its results arrive once a rule reads them.
 */
export async function checkPush(api: EkuiperApi, state: GatewayState, labeler: Labeler): Promise<Check> {
  const name = "push";
  const { hostname } = new URL(api.base);
  const port = await pushPort(api, state);
  const source = port === undefined ? "eKuiper's source.httpServerPort, unless changed" : "its source.httpServerPort";
  const fix = `Start the labeler with PUSH_TARGETS=http://${hostname}:${port ?? USUAL_PORT}${PUSH_PATH} (${port ?? USUAL_PORT} is ${source}): npm run serve -- --var PUSH_TARGETS:ADDRESS.`;
  let ways: { target: Target; url: URL }[];
  try {
    const targets = await ask(labeler, "/push", "GET");
    ways = targets
      .map((target) => ({ target, url: new URL(target.target) }))
      .filter(({ url }) => url.pathname === PUSH_PATH);
  } catch (error) {
    const detail = `The labeler does not say where it posts results to: ${reason(error)}`;
    return { name, state: "warning", detail, fix };
  }
  if (ways.length === 0) {
    const detail = `The labeler posts results to no address that ends in ${PUSH_PATH}.`;
    return { name, state: "warning", detail, fix };
  }
  const here: typeof ways = [];
  for (const way of ways) if (await isSameHost(way.url.hostname, hostname)) here.push(way);
  const way = here.find(({ url }) => port === undefined || portOf(url) === port);
  if (way === undefined) {
    const list = ways.map(({ url }) => url.href).join(", ");
    const detail =
      here.length > 0
        ? `The labeler posts results to ${list}, but the streams of this gateway listen on port ${port}.`
        : `The labeler posts results to ${list}, which is not the address of this gateway, ${hostname}, unless by another name.`;
    return { name, state: "warning", detail, fix };
  }
  return judgeTarget(way.target, state, api.base);
}

function judgeTarget({ target, waiting, retryAt, lastError }: Target, state: GatewayState, gateway: string): Check {
  const name = "push";
  const rule = state.rules.find(({ id }) => id === "labels_pushed");
  if (rule === undefined) {
    const detail = `the labeler posts results to ${target}, as soon as a rule takes them in`;
    return { name, state: "ok", detail };
  }
  if (!isRunning(rule)) {
    // Seen with eKuiper 2.4.2: the address of a stream answers 200 until the engine is restarted, even without a
    // reader.
    const detail = `Rule labels_pushed is ${rule.status}: eKuiper takes what the labeler posts to ${target}, and drops it.`;
    const fix = `Start it: curl -X POST ${gateway}/rules/labels_pushed/start. What was dropped is still in the labeler's GET /results.`;
    return { name, state: "warning", detail, fix };
  }
  if (lastError === null) return { name, state: "ok", detail: `the labeler posts results to ${target}` };
  const seconds = retryAt === null ? 0 : Math.max(0, Math.round((Date.parse(retryAt) - Date.now()) / 1000));
  const next = retryAt === null ? "" : ` It tries again at ${dated(new Date(retryAt)).split(",")[0]}, in ${seconds} s.`;
  return {
    name,
    state: "warning",
    detail: `The labeler does not get through to ${target}, ${waiting} results wait: ${lastError}.${next}`,
    fix: "A rule must run for the address to exist. npm run ekuiper -- test has the labeler try at once.",
  };
}
