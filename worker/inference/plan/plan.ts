/**
 * Plans: graphs that run as calls of the kernels in native/kernels. In stages: lower/ turns operators into steps and
 * chooses their kernels, pack/ says how their constants are packed, layout/ lays out the memory; compile.ts makes a
 * CompiledPlan of these, bind.ts gives it addresses, and instance.ts runs it.
 */
import type { Graph } from "../../tflite/graph.ts";
import { compile } from "./compile.ts";
import { countResidues } from "./count-residues.ts";
import { PlanInstance } from "./instance.ts";
import { dotIsExact, pairsAreExact } from "./kernels.ts";
import type { PlanPrecision, UseOfStrassen } from "./lower/builder.ts";

export { PlanInstance } from "./instance.ts";
export type { PlanPrecision } from "./lower/builder.ts";
export { NoPlan } from "./lower/value.ts";

export interface PlanOptions {
  readonly precision: PlanPrecision;
  /** Whether to use the relaxed dot product of bytes; by default where it is exact. */
  readonly dot?: boolean;
  /** Whether to use that of pairs of bytes where the other is not used; by default where it is exact. */
  readonly pairs?: boolean;
  /** Which products of a fast plan go by Strassen's multiplication; by default those that gain by it. */
  readonly strassen?: UseOfStrassen;
}

/**
 * Compiles a graph for this CPU and loads it into tfjs' heap. Call initBackend() first.
 *
 * @throws NoPlan with the reason if there is no kernel for what the graph asks for; LabelerError of kind
 *   model-unusable if a constant is damaged, or of kind model-unavailable if the memory does not suffice.
 */
export function makePlan(graph: Graph, options: PlanOptions): PlanInstance {
  const { precision, dot = dotIsExact(), pairs = pairsAreExact(), strassen } = options;
  const residuesOf = pairs ? countResidues : undefined;
  return new PlanInstance(compile(graph, precision, { dot, residuesOf, strassen }));
}
