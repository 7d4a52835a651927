/** All checks of a gateway that install and status make alike. */
import type { EkuiperApi } from "./api.ts";
import { checkFunctions } from "./check-functions.ts";
import { checkPush } from "./check-push.ts";
import {
  type Check,
  checkBroker,
  checkConfKeys,
  checkLabelerFromGateway,
  checkLabelerFromHere,
  checkPlugins,
} from "./checks.ts";
import type { Loop, Wanted } from "./parts.ts";
import type { GatewayState } from "./state.ts";

const LOSES_MQTT_5: Check = {
  name: "MQTT 5",
  state: "warning",
  detail:
    "With MQTT 5, the stream of eKuiper 2.4.2 receives nothing any more once its connection to the broker was lost.",
  fix: "Give --mqtt-version 3.1.1, which MQTT 5 brokers accept, too; or restart the rules whenever the broker was away.",
};

/** @param loop The loop that is or will be installed; undefined for none. */
export async function checkAll(
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
  return wanted.mqtt.version === "5" ? [...checks.flat(), LOSES_MQTT_5] : checks.flat();
}

export const failed = (checks: readonly Check[]) => checks.some(({ state }) => state === "error");
