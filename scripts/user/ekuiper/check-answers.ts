/**
 * Repeats the gateway's calls of the labeler from here and checks the answers: eKuiper does not pass the labeler's
 * reasons on.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { EkuiperApi } from "./api.ts";
import { type Answer, functionCall, type LabelerCall, post, sinkCall } from "./as-rule.ts";
import type { Check } from "./checks.ts";
import { dialectOf } from "./dialect.ts";
import { readCounters } from "./rule-counters.ts";
import { calls, type GatewayState, isRunning } from "./state.ts";

const IMAGE = new URL("../../../test/fixtures/coffee-96.webp", import.meta.url);
/** The device of an image that is submitted only to see the labeler's answer. */
export const PROBE_DEVICE = "edge-labeler-check";

/** Whether the gateway's eKuiper fills templates in the headers of its REST sink. */
export const fillsHeaders = async (api: EkuiperApi): Promise<boolean> => !dialectOf(await api.version()).breaksHeaders;

/** The same call at another address of the labeler, which this machine reaches. */
export function callAt(call: LabelerCall, labeler: string | undefined): LabelerCall {
  if (labeler === undefined) return call;
  const path = call.url.slice(call.url.lastIndexOf("/ekuiper/"));
  return { ...call, url: labeler + path };
}

function judge({ name, url }: LabelerCall, answer: Answer): Check | undefined {
  if (answer.kind === "unreachable") return undefined; // The check of the labeler from this machine reports it.
  const check = `labeler for ${name}`;
  if (answer.kind === "taken")
    return { name: check, state: "ok", detail: `takes the call (${Math.round(answer.ms)} ms)` };
  const fix = /^40[13]/.test(answer.reason)
    ? "Install again with a token that may: LABELER_TOKEN=… npm run ekuiper -- install"
    : `The gateway calls ${url.replace(/\?.*/, "")}: is that the labeler, and are its parameters right?`;
  return { name: check, state: "error", detail: `refuses the call: ${answer.reason}`, fix };
}

/**
 * Makes the calls of the functions that rules use, and of the sinks that have had errors. A submitted image that the
 * labeler accepts is stored: as one result of its own device, however often this is done.
 *
 * @param labeler The labeler's address from here, if it is not the gateway's.
 */
export async function checkAnswers(
  api: EkuiperApi,
  state: GatewayState,
  labeler: string | undefined,
): Promise<Check[]> {
  const image = await readFile(IMAGE);
  const running = state.rules.filter(isRunning);
  const made: [LabelerCall, Uint8Array | string][] = [];
  for (const name of state.functions.keys()) {
    const call = functionCall(state, name);
    if (call !== undefined && running.some(({ rule }) => calls(rule, name))) {
      made.push([call, name === "labelOf" ? PROBE_DEVICE : image]);
    }
  }
  const fills = await fillsHeaders(api);
  for (const { id, rule } of running) {
    const { lastErrors } = readCounters(await api.ruleStatus(id));
    if (!lastErrors.some(({ place }) => place.startsWith("sink_rest"))) continue;
    const digest = createHash("sha256").update(JSON.stringify(rule.actions)).digest("hex").slice(0, 12);
    const call = sinkCall(rule, { id: `${PROBE_DEVICE}-${digest}`, device: PROBE_DEVICE }, fills);
    if (call !== undefined) made.push([call, image]);
  }
  const checks = await Promise.all(
    made.map(async ([call, body]) => {
      const here = callAt(call, labeler);
      return judge(here, await post(here, body));
    }),
  );
  return checks.filter((check) => check !== undefined);
}
