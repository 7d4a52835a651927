/** `npm run ekuiper -- status`: checks a gateway and lists what is installed. */
import { checkAge } from "./check-age.ts";
import { checkAll } from "./check-all.ts";
import { checkAnswers } from "./check-answers.ts";
import { checkRules } from "./check-rules.ts";
import { type Check, checkDeletedPlugins, checkGateway } from "./checks.ts";
import { checkRegions } from "./function-regions.ts";
import { partsOf, RULE_IDS } from "./parts.ts";
import { installSteps, type Step } from "./plan.ts";
import { described, functionsOf } from "./sql-function.ts";
import { isOurPlugin, ours, readState } from "./state.ts";
import { type GatewayOptions, installedOptions, together, wantedOf, wantedWithRegions, whyNotLoop } from "./wanted.ts";

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
    ...checkRegions(before.functions ?? [], wanted.functions),
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
