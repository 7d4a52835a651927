/**
 * Plans: graphs that run as calls of the kernels in native/kernels. lower/ turns operators into steps and chooses their
 * kernels, pack/ packs their constants, layout/ lays out the memory. compile.ts combines these to a CompiledPlan,
 * bind.ts gives it addresses, and instance.ts runs it.
 */
import type { Graph } from "../../tflite/graph.ts";
import { compile } from "./compile.ts";
import { countOverflow } from "./count-overflow.ts";
import { PlanInstance } from "./instance.ts";
import { exactDot, pairsAreExact, sumsApart } from "./kernels.ts";
import type { ByteDot, PlanPrecision, UseOfStrassen } from "./lower/builder.ts";

export { PlanInstance } from "./instance.ts";
export type { PlanPrecision } from "./lower/builder.ts";
export { NoPlan } from "./lower/value.ts";

export interface PlanOptions {
  readonly precision: PlanPrecision;
  /** What the relaxed dot product of four bytes takes, or whether it is not used; by default as it is exact. */
  readonly dot?: ByteDot | false;
  /** Whether to use the dot product of pairs of uint8 if `dot` is not used; by default if it is exact. */
  readonly pairs?: boolean;
  /** Which products of a fast plan use Strassen's multiplication; by default those that it speeds up. */
  readonly strassen?: UseOfStrassen;
  /** Whether the sums of 16-bit products of even and of odd depth are kept apart; by default where that is faster. */
  readonly apart?: boolean;
}

/**
 * Compiles a graph for this CPU and loads it into tfjs' heap. Call initBackend() first.
 *
 * @throws NoPlan with the reason if no kernel supports the graph; LabelerError of kind model-unusable if a constant is
 *   damaged, or of kind model-unavailable if there is not enough memory.
 */
export function makePlan(graph: Graph, options: PlanOptions): PlanInstance {
  const { precision, dot = exactDot(), pairs = pairsAreExact(), strassen, apart = sumsApart() } = options;
  const capabilities = { dot, countOverflow: pairs ? countOverflow : undefined, strassen, apart };
  return new PlanInstance(compile(graph, precision, capabilities));
}
