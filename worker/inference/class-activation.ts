/**
 * Class activation maps: where in the image a network sees a class. They are by-products of a run of networks that end
 * in a mean over all places and one matrix (Zhou et al., "Learning Deep Features for Discriminative Localization",
 * 2016), as the MobileNets and EfficientNets do.
 */
import type { Parts } from "../runtime/parts.ts";
import { type ClassActivation, NoActivation } from "./plan/activation.ts";
import { PlanInstance } from "./plan/plan.ts";
import type { Runner } from "./runner.ts";

export { type ClassActivation, NoActivation } from "./plan/activation.ts";

/**
 * Runs a graph once and computes how much each place of the image contributes to one class.
 *
 * @param choose Chooses the class by the outputs of this run.
 * @throws NoActivation with the reason if the network does not have such maps or a plan.
 */
export function* classActivation(
  runner: Runner,
  inputs: Parameters<Runner["run"]>[0],
  choose: (outputs: readonly Float32Array[]) => number,
): Parts<{ outputs: Float32Array[]; activation: ClassActivation }> {
  if (!(runner instanceof PlanInstance)) {
    throw new NoActivation("This network has no map of its classes: it runs operator by operator, not as a plan.");
  }
  const outputs = yield* runner.runInParts(inputs);
  return { outputs, activation: runner.classActivation(choose(outputs)) };
}
