/** Compiles a graph: lowers it to steps and lays out their memory, or says why there is no plan. */
import type { Graph } from "../../tflite/graph.ts";
import { findTaps } from "../taps.ts";
import type { CompiledPlan, PlanHead, PlanStep, PlanValue } from "./compiled-plan.ts";
import { layOutMemory, layOutTensors } from "./layout/memory.ts";
import type { Builder, Capabilities, PlanPrecision } from "./lower/builder.ts";
import type { Head } from "./lower/head.ts";
import { type LoweredStep, lower } from "./lower/lower.ts";
import { dropUnread } from "./lower/unread.ts";
import { tensorOf, toValue, type Value } from "./lower/value.ts";
import type { Packed } from "./step.ts";
import { type CompiledTaps, compileTaps } from "./tapped.ts";

/** A plan, and the packer of each step's constants: the packers hold the file's bytes, the plan does not. */
export interface Compilation {
  readonly plan: CompiledPlan;
  readonly constants: readonly (Packed | undefined)[];
  /** Where features are read while the plan runs, or why the network does not give any. */
  readonly taps: CompiledTaps | string;
}

const planned = ({ tensor: { index, shape }, ...value }: Value): PlanValue =>
  ({ ...value, tensor: { index, shape } }) as PlanValue;

/** A lowered step without the packer of its constants. */
function plannedStep({ operator: { index, op }, ...step }: LoweredStep): PlanStep {
  const operator = { index, op };
  if (!("kernel" in step)) return { ...step, operator, packedBytes: 0, scratchBytes: 0 };
  const { packed, scratch = 0, ...call } = step;
  return { ...call, operator, packedBytes: packed?.bytes ?? 0, scratchBytes: scratch };
}

function plannedHead(builder: Builder, head: Head | string, steps: readonly LoweredStep[]): PlanHead | string {
  if (typeof head === "string") return head;
  const { classifier, features, weightScales } = head;
  const input = builder.value(classifier.inputs[0]);
  return {
    step: steps.findIndex(({ operator }) => operator === classifier),
    features: planned(builder.value(features)),
    weightScales,
    inputScale: input.kind === "u8" ? input.scale : 1,
  };
}

/**
 * Lowers a graph to steps and lays out their memory.
 *
 * @throws NoPlan with the reason if a kernel is missing; LabelerError of kind model-unusable if the executor could not
 *   run the graph either.
 */
export function compile(graph: Graph, precision: PlanPrecision, capabilities: Capabilities): Compilation {
  const { builder, steps: lowered, head } = lower(graph, precision, capabilities);
  const found = findTaps(graph);
  const kept = typeof head === "string" ? [] : [head.features];
  const tapped = typeof found === "string" ? [] : Object.values(found).filter((tensor) => tensor !== undefined);
  const steps = dropUnread(lowered, [...graph.outputs, ...kept, ...tapped], (tensor) => builder.root(tensor));
  const { tensors, arena } = layOutTensors(builder, steps, kept);
  const endOf = (index: number) => planned(toValue(tensorOf(graph, index)));
  return {
    plan: {
      steps: steps.map(plannedStep),
      inputs: graph.inputs.map(endOf),
      outputs: graph.outputs.map(endOf),
      tensors,
      memory: layOutMemory(steps, arena),
      head: plannedHead(builder, head, steps),
    },
    constants: steps.map((step) => ("kernel" in step ? step.packed : undefined)),
    taps: compileTaps(builder, steps, found),
  };
}
