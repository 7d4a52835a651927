/** Drops steps whose output is not read, since the steps behind them are computed from something else. */
import { parameterWords } from "../layouts.ts";
import type { Step } from "../step.ts";

/** The tensors that a step reads or writes, the written one included. */
export const tensorsOf = (step: Step): number[] =>
  "kernel" in step
    ? parameterWords(step).flatMap((word) => (typeof word === "object" && "tensor" in word ? [word.tensor] : []))
    : [step.from, step.to];

/** The tensor that a step writes. */
function writtenBy(step: Step): number | undefined {
  if (!("kernel" in step)) return step.to;
  const { output } = step.parameters;
  return typeof output === "object" && "tensor" in output ? output.tensor : undefined;
}

/**
 * @param kept The tensors that are read after the run, or while it is under way.
 * @param root The tensor in whose memory a tensor lies.
 */
export function dropUnread<S extends Step>(
  steps: readonly S[],
  kept: readonly number[],
  root: (tensor: number) => number,
): S[] {
  const read = new Set(kept.map(root));
  return steps
    .toReversed()
    .filter((step) => {
      const written = writtenBy(step);
      if (written !== undefined && !read.has(root(written))) return false;
      for (const tensor of tensorsOf(step)) read.add(root(tensor));
      return true;
    })
    .toReversed();
}
