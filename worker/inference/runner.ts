/** Chooses the engine of a graph: a compiled plan, or tfjs operator by operator if it cannot be compiled. */
import type { Graph } from "../tflite/graph.ts";
import { Executor } from "./executor.ts";
import { makePlan, NoPlan, type PlanInstance, type PlanPrecision } from "./plan/plan.ts";

/** A graph that is ready to run. */
export type Runner = PlanInstance | Executor;

/**
 * Call initBackend() first.
 *
 * @returns The runner of the graph, and if it is the executor, the reason.
 * @throws LabelerError of kind model-unusable that names the operator or constant that neither engine supports.
 */
export function makeRunner(graph: Graph, precision: PlanPrecision = "exact"): { runner: Runner; reason?: string } {
  try {
    return { runner: makePlan(graph, { precision }) };
  } catch (error) {
    if (!(error instanceof NoPlan)) throw error;
    return { runner: new Executor(graph), reason: error.message };
  }
}
