/**
 * Reports what the engine says about the rules that use the labeler: those that do not run, are not connected, or had
 * errors.
 */
import type { EkuiperApi, RuleStatus } from "./api.ts";
import type { Check } from "./checks.ts";
import { dated, readCounters } from "./rule-counters.ts";
import { calls, functionNames, type GatewayState, isRunning } from "./state.ts";

/** An error that is older than this, and after which rows have gone out, is mentioned, but is no longer a warning. */
const OLD = 3_600_000;

const RECONNECT =
  "eKuiper goes on trying. Is the broker there, and its address right as the gateway sees it? --broker tcp://HOST:1883";

/** Interprets the counters of a running rule. @param now In milliseconds since 1970. */
export function judgeRule(name: string, status: RuleStatus, now = Date.now()): Check {
  const { rowsIn, rowsOut, errors, lastErrors, lastOut, offline } = readCounters(status);
  const detail = `running, ${rowsIn} rows in, ${rowsOut} out`;
  if (offline !== undefined) {
    const since = offline.since === undefined ? "" : ` since ${dated(offline.since, now)}`;
    const text = `${detail}; ${offline.place} is not connected${since}: ${offline.why}`;
    return { name, state: "error", detail: text, fix: RECONNECT };
  }
  const [last] = lastErrors;
  if (errors === 0 || last === undefined) return { name, state: "ok", detail };
  const { at, text } = last;
  const isOld = at !== undefined && now - at.getTime() > OLD && lastOut !== undefined && lastOut > at;
  const when = at === undefined ? "" : ` (${dated(at, now)}${isOld ? "; rows have gone out since" : ""})`;
  return { name, state: isOld ? "ok" : "warning", detail: `${detail}, ${errors} errors, the last${when}: ${text}` };
}

export async function checkRules(api: EkuiperApi, state: GatewayState, ids: readonly string[]): Promise<Check[]> {
  const functions = functionNames(state);
  const concerned = state.rules.filter(
    ({ id, rule }) => ids.includes(id) || functions.some((offered) => calls(rule, offered)),
  );
  return Promise.all(
    concerned.map(async ({ id, status, rule }): Promise<Check> => {
      const name = `rule ${id}`;
      if (isRunning({ status })) return judgeRule(name, await api.ruleStatus(id));
      const isMeant = rule.triggered === false;
      const fix = isMeant ? undefined : `Start it: curl -X POST ${api.base}/rules/${id}/start`;
      return { name, state: isMeant ? "ok" : "warning", detail: status, fix };
    }),
  );
}
