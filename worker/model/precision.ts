/**
 * Determines the arithmetic in which a network can be computed, and the engine that computes it. It looks only at the
 * graph and needs neither weights nor tfjs, so that the index of models has this information before anything runs.
 */
import { definitionOf } from "../inference/operators/registry.ts";
import { compile } from "../inference/plan/compile.ts";
import type { CompiledPlan } from "../inference/plan/compiled-plan.ts";
import { NoPlan } from "../inference/plan/lower/value.ts";
import type { Graph } from "../tflite/graph.ts";
import type { Precision } from "./precision-name.ts";

export interface Computation {
  /** The supported precisions, the safest first. */
  readonly precisions: readonly [Precision, ...Precision[]];
  /** A compiled plan, or tfjs operator by operator. */
  readonly engine: "plan" | "tfjs";
  /** Why the network cannot be compiled to a plan, if so. */
  readonly noPlan?: string;
  /** The number of values of `features`, if the network gives them. */
  readonly features?: number;
  /** Why the network does not give features. */
  readonly noFeatures?: string;
  /** The memory of the loaded network, in bytes, for each precision; an estimate. */
  readonly memory: { readonly [precision in Precision]?: number };
}

/** Whether no operator with weights computes in f32; without such operators the type of the input decides. */
function isQuantised(graph: Graph): boolean {
  const weighted = graph.operators.filter((operator) => definitionOf(operator)?.weighted);
  const deciding = weighted.length > 0 ? weighted.map(({ outputs }) => outputs[0]) : graph.inputs;
  return deciding.every((index) => graph.tensors[index ?? -1]?.type !== "float32");
}

/** The bytes of weights, activations and scratch of a plan. */
function planBytes({ steps, memory }: CompiledPlan): number {
  const packed = steps.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
  return packed + memory.arenaBytes + memory.scratchBytes;
}

/** The bytes of all constants, which tfjs stores as float32. */
function tfjsBytes(graph: Graph): number {
  const constants = graph.tensors.filter(({ data }) => data !== undefined);
  return constants.reduce((sum, { shape }) => sum + 4 * shape.reduce((size, dim) => size * dim, 1), 0);
}

/** Determines how a network that can be run would be computed. */
export function computationOf(graph: Graph): Computation {
  const precisions = isQuantised(graph) ? (["quantised"] as const) : (["exact", "fast"] as const);
  try {
    // The processor that runs the plan decides which kernels it gets, so the estimate uses the larger ones.
    const { taps } = compile(graph, precisions[0], { dot: "unsigned" });
    const features = typeof taps === "string" ? { noFeatures: taps } : { features: taps.pooled?.value.size ?? 0 };
    const bytes = precisions.map((precision) => {
      const each = (["unsigned", false] as const).map((dot) => planBytes(compile(graph, precision, { dot }).plan));
      return [precision, Math.max(...each)] as const;
    });
    return { precisions, engine: "plan", ...features, memory: Object.fromEntries(bytes) };
  } catch (error) {
    if (!(error instanceof NoPlan)) throw error;
    const [first] = precisions;
    return { precisions: [first], engine: "tfjs", noPlan: error.message, memory: { [first]: tfjsBytes(graph) } };
  }
}
