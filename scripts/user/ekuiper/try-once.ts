/** `npm run ekuiper -- test`: sends one image through the loop that is installed on a gateway. */
import { randomUUID } from "node:crypto";
import { CommandError } from "../../command-line/command.ts";
import type { EkuiperApi } from "./api.ts";
import { functionCall, sinkCall } from "./as-rule.ts";
import { callAt, fillsHeaders } from "./check-answers.ts";
import { checkPush, retryPush } from "./check-push.ts";
import { type Check, checkGateway } from "./checks.ts";
import { checkRegions, withRegions } from "./function-regions.ts";
import { topicFor } from "./mqtt-client.ts";
import { NoLabel } from "./own-rule.ts";
import { type Loop, TOPICS, type Wanted } from "./parts.ts";
import { type GatewayState, readState } from "./state.ts";
import { type Tried, type TryOptions, tryLoop } from "./try.ts";
import { type GatewayOptions, installedOptions, together, wantedOf } from "./wanted.ts";

const LABEL_SECONDS = 10;

/** Sends one image through the installed loop. @throws NoLabel @throws CommandError if nothing is installed. */
export async function tryOnce(
  options: GatewayOptions,
  image: Uint8Array,
): Promise<Tried & { loop: Loop; checks: readonly Check[] }> {
  const { api } = options;
  const gateway = await checkGateway(api);
  if (gateway.state === "error") throw new CommandError(`${gateway.detail}\n→ ${gateway.fix}`);
  const state = await readState(api);
  const before = installedOptions(state);
  if (before.loop === undefined)
    throw new CommandError("Nothing is installed on this gateway: npm run ekuiper -- install");
  const { loop, labeler, broker, device }: Wanted = wantedOf({ ...together(before, options), loop: before.loop });
  const call = await callOf(api, state, loop);
  const functions = before.functions ?? [];
  const renamed = async () => checkRegions(functions, await withRegions(labeler, functions));
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
    return { ...tried, loop, checks: await renamed() };
  } catch (error) {
    if (!(error instanceof NoLabel)) throw error;
    const lines = [error.message];
    for (const { name, detail, fix } of await renamed()) lines.push(`${name}: ${detail}`, `→ ${fix}`);
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
