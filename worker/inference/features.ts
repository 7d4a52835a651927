/** Runs a network once for its scores and for the intermediate values from which heads are taught. */
import type { Parts } from "../runtime/parts.ts";
import { PlanInstance } from "./plan/plan.ts";
import type { Tapped } from "./plan/tapped.ts";
import type { Runner } from "./runner.ts";

/** Thrown if a network cannot be tapped. */
export class NoFeatures extends Error {}

/**
 * @throws NoFeatures with the reason if the network does not end in a pooling over all places, or has no plan.
 */
export function* runTapped(
  runner: Runner,
  inputs: Parameters<Runner["run"]>[0],
): Parts<{ outputs: Float32Array[]; tapped: Tapped }> {
  if (!(runner instanceof PlanInstance)) {
    throw new NoFeatures("This network gives no features: it runs operator by operator, not as a plan.");
  }
  const { taps } = runner;
  if (typeof taps === "string") throw new NoFeatures(`This network gives no features: ${taps}.`);
  const tapped: { -readonly [name in keyof Tapped]: Float32Array } = {
    pooled: new Float32Array(),
    maxima: new Float32Array(),
    late: new Float32Array(),
    early: new Float32Array(),
  };
  const names = Object.keys(tapped) as (keyof Tapped)[];
  const outputs = yield* runner.runInParts(inputs, (step) => {
    for (const name of names) {
      const tap = taps[name];
      if (tap?.step === step) tapped[name] = runner.readTap(tap);
    }
  });
  return { outputs, tapped };
}
