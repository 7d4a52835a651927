/** `npm run ekuiper -- install` and `uninstall`: bring a loop to a gateway, and remove it. */
import { CommandError } from "../../command-line/command.ts";
import { type EkuiperApi, EkuiperError } from "./api.ts";
import { carryOut, type Failure } from "./carry-out.ts";
import { checkAll, failed } from "./check-all.ts";
import { checkPush, retryPush } from "./check-push.ts";
import { type Check, checkDeletedPlugins, checkGateway, checkRefusal } from "./checks.ts";
import { NEWEST } from "./dialect.ts";
import { requireNewClient } from "./mqtt-options.ts";
import { partsOf, type Wanted } from "./parts.ts";
import { Conflict, installSteps, type Step, uninstallSteps } from "./plan.ts";
import { EMPTY, readState } from "./state.ts";
import {
  type GatewayOptions,
  installedOptions,
  keptOf,
  requireMqtt,
  together,
  wantedOf,
  wantedWithRegions,
  whyNotLoop,
} from "./wanted.ts";

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
      const done = gone.length === 0 ? "Nothing was removed before." : `This was done before:${gone.join("")}`;
      throw new CommandError(`${error.message}\n${done}\nThe next uninstall removes what is left.`, 1);
    });
  }
  return steps;
}
