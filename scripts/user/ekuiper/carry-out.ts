/** Makes the planned calls; when eKuiper refuses one, takes back those before it. */
import { type EkuiperApi, EkuiperError } from "./api.ts";
import type { Step } from "./plan.ts";

export interface Failure {
  /** The step that eKuiper refused. */
  readonly step: Step;
  /** Why. */
  readonly reason: string;
  /** What was done before, and was taken back, in the order of that. */
  readonly undone: readonly Step[];
  /** What was done before, and is still there. */
  readonly left: readonly Step[];
}

/** @returns why it failed, if it did; then the gateway is as it was before, but for what is `left` */
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
