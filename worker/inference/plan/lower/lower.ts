/** The first stage of compiling: operators of the graph become steps, whose constants are packed later. */
import type { Graph, Operator } from "../../../tflite/graph.ts";
import { definitionOf } from "../../operators/registry.ts";
import { assertSupported } from "../../support.ts";
import type { Step } from "../step.ts";
import { Builder, type Capabilities, type PlanPrecision } from "./builder.ts";
import { findHead, type Head } from "./head.ts";
import { NoPlan } from "./value.ts";

export type LoweredStep = Step & { readonly operator: Operator };

/** The steps of a graph, and what is known of its tensors. */
export interface Lowered {
  readonly builder: Builder;
  readonly steps: readonly LoweredStep[];
  /** The end of a classifier, or why it has none. */
  readonly head: Head | string;
}

const isFloatConvolution = (step: Step): boolean => "kernel" in step && /^(qd16_)?f32_(gemm|dwconv)_/.test(step.kernel);

/**
 * @throws NoPlan with the reason if a kernel is missing; LabelerError of kind model-unusable if the
 *   executor could not run the graph either.
 */
export function lower(graph: Graph, precision: PlanPrecision, capabilities: Capabilities): Lowered {
  assertSupported(graph);
  const builder = new Builder(graph, precision, capabilities);
  const steps = graph.operators.flatMap((operator): LoweredStep[] => {
    const definition = definitionOf(operator);
    if (definition === undefined) throw new NoPlan(`operator ${operator.index} (${operator.op}) is not known`);
    return definition.lower(builder, operator).map((step) => ({ ...step, operator }));
  });
  if (precision === "quantised" && steps.some(isFloatConvolution)) throw new NoPlan("the network is not quantised");
  return { builder, steps, head: findHead(graph) };
}
