/** Makes the planned calls; if eKuiper refuses one, reverts those before it. */
import { type EkuiperApi, EkuiperError } from "./api.ts";
import type { Step } from "./plan.ts";

export interface Failure {
  /** The step that eKuiper refused. */
  readonly step: Step;
  /** The reason. */
  readonly reason: string;
  /** The steps that were done before and have been reverted, in the order in which they were done. */
  readonly undone: readonly Step[];
  /** The steps that were done before and could not be reverted. */
  readonly left: readonly Step[];
}

/** @returns The failure, if there was one; the gateway is then as it was before, except for the steps in `left`. */
export async function carryOut(api: EkuiperApi, steps: readonly Step[]): Promise<Failure | undefined> {
  const done: Step[] = [];
  for (const step of steps) {
    try {
      await step.run(api);
    } catch (error) {
      if (!(error instanceof EkuiperError)) throw error;
      return { step, reason: error.message, ...(await takeBack(api, done)) };
    }
    done.push(step);
  }
  return undefined;
}

async function takeBack(api: EkuiperApi, done: readonly Step[]): Promise<Pick<Failure, "undone" | "left">> {
  const undone: Step[] = [];
  const left: Step[] = [];
  for (const step of done.toReversed()) {
    if (step.undo === "nothing") continue;
    const isUndone = await Promise.resolve(step.undo?.run(api)).then(
      () => step.undo !== undefined,
      () => false,
    );
    (isUndone ? undone : left).push(step);
  }
  return { undone, left };
}
