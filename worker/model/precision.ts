/**
 * In which arithmetic a network can be computed, and what computes it. Looks at the graph alone: needs neither weights
 * nor tfjs, so that the index of models can tell before anything runs.
 */
import { definitionOf } from "../inference/operators/registry.ts";
import { compile } from "../inference/plan/compile.ts";
import type { CompiledPlan } from "../inference/plan/compiled-plan.ts";
import { NoPlan } from "../inference/plan/lower/value.ts";
import type { Graph } from "../tflite/graph.ts";
import type { Precision } from "./precision-name.ts";

export interface Computation {
  /** What can be asked for, the safe one first. */
  readonly precisions: readonly [Precision, ...Precision[]];
  /** A compiled plan, or tfjs operator by operator. */
  readonly engine: "plan" | "tfjs";
  /** Why there is no plan, where there is none. */
  readonly noPlan?: string;
  /** How many values `features` have, if the network gives them. */
  readonly features?: number;
  /** Why it gives none. */
  readonly noFeatures?: string;
  /** What stays in memory when the network is loaded, in bytes, for each precision; an estimate. */
  readonly memory: { readonly [precision in Precision]?: number };
}

/** Whether no operator with weights computes in floats; without such operators the input decides. */
function isQuantised(graph: Graph): boolean {
  const weighted = graph.operators.filter((operator) => definitionOf(operator)?.weighted);
  const deciding = weighted.length > 0 ? weighted.map(({ outputs }) => outputs[0]) : graph.inputs;
  return deciding.every((index) => graph.tensors[index ?? -1]?.type !== "float32");
}

/** Weights, activations and scratch of a plan. */
function planBytes({ steps, memory }: CompiledPlan): number {
  const packed = steps.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
  return packed + memory.arenaBytes + memory.scratchBytes;
}

/** tfjs has every constant as float32. */
function tfjsBytes(graph: Graph): number {
  const constants = graph.tensors.filter(({ data }) => data !== undefined);
  return constants.reduce((sum, { shape }) => sum + 4 * shape.reduce((size, dim) => size * dim, 1), 0);
}

/** Says how a network that can be run would be computed. */
export function computationOf(graph: Graph): Computation {
  const precisions = isQuantised(graph) ? (["quantised"] as const) : (["exact", "fast"] as const);
  try {
    // Which kernels a processor gets shows only where it runs: the larger ones count.
    const { taps } = compile(graph, precisions[0], { dot: true });
    const features = typeof taps === "string" ? { noFeatures: taps } : { features: taps.pooled?.value.size ?? 0 };
    const bytes = precisions.map((precision) => {
      const each = [true, false].map((dot) => planBytes(compile(graph, precision, { dot }).plan));
      return [precision, Math.max(...each)] as const;
    });
    return { precisions, engine: "plan", ...features, memory: Object.fromEntries(bytes) };
  } catch (error) {
    if (!(error instanceof NoPlan)) throw error;
    const [first] = precisions;
    return { precisions: [first], engine: "tfjs", noPlan: error.message, memory: { [first]: tfjsBytes(graph) } };
  }
}
