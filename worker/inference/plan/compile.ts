/** Turns a graph into the steps of a plan and lays out the memory of its tensors, or says why there is no plan. */
import type { Graph } from "../../tflite/graph.ts";
import { definitionOf } from "../operators/registry.ts";
import { assertSupported } from "../support.ts";
import { type ArenaLayout, layOut } from "./arena.ts";
import { Builder, type Means, type PlanPrecision } from "./builder.ts";
import { findHead, type Head } from "./head.ts";
import { parameterWords } from "./layouts.ts";
import type { Step } from "./step.ts";
import { NoPlan, tensorOf, toValue, type Value } from "./value.ts";

export interface Compiled {
  readonly steps: readonly Step[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly arena: ArenaLayout;
  /** The tensor in whose memory a tensor lies. */
  root(tensor: number): number;
  /** The end of a classifier and the step that makes its scores, or why it has none; its features outlive the run. */
  readonly head: CompiledHead | string;
}

export interface CompiledHead {
  readonly step: number;
  readonly features: Value;
  readonly weightScales: readonly number[];
  /** What a step of the classifier's input is worth. */
  readonly inputScale: number;
}

/** The tensors that a step reads and writes. */
const tensorsOf = (step: Step): number[] =>
  "kernel" in step
    ? parameterWords(step).flatMap((word) => (typeof word === "object" && "tensor" in word ? [word.tensor] : []))
    : [step.from, step.to];

function compiledHead(builder: Builder, head: Head | string, step: number): CompiledHead | string {
  if (typeof head === "string") return head;
  const input = builder.value(head.classifier.inputs[0]);
  const inputScale = input.kind === "u8" ? input.scale : 1;
  return { step, features: builder.value(head.features), weightScales: head.weightScales, inputScale };
}

/**
 * The roots without the builder: a plan keeps them, and with the builder it would keep the graph and its file's bytes. A
 * loop, since what any closure in here can see would be kept as well.
 */
function rootsOf(builder: Builder): (tensor: number) => number {
  const roots = new Map<number, number>();
  for (const { index } of builder.graph.tensors) roots.set(index, builder.root(index));
  return (tensor) => roots.get(tensor) ?? tensor;
}

/**
 * @throws NoPlan with the reason if a kernel is missing; LabelerError of kind model-unusable if the
 *   executor could not run the graph either.
 */
export function compile(graph: Graph, precision: PlanPrecision, means: Means): Compiled {
  assertSupported(graph);
  const builder = new Builder(graph, precision, means);
  const steps: Step[] = [];
  const head = findHead(graph);
  let scores = -1;
  for (const operator of graph.operators) {
    const definition = definitionOf(operator);
    if (definition === undefined) throw new NoPlan(`operator ${operator.index} (${operator.op}) is not known`);
    if (typeof head !== "string" && operator === head.classifier) scores = steps.length;
    steps.push(...definition.lower(builder, operator));
  }
  const inputs = graph.inputs.map((index) => toValue(tensorOf(graph, index)));
  const outputs = graph.outputs.map((index) => toValue(tensorOf(graph, index)));
  const floats = steps.some((step) => "kernel" in step && /^(conv|depthwise)_f32/.test(step.kernel));
  if (precision === "quantised" && floats) throw new NoPlan("the network is not quantised");
  const root = (tensor: number) => builder.root(tensor);
  const kept = typeof head === "string" ? [] : [head.features];
  const uses = steps.map((step) => tensorsOf(step).map(root));
  const arena = layOut(uses, { first: graph.inputs.map(root), last: [...graph.outputs, ...kept].map(root) }, (tensor) =>
    builder.bytesOf(tensor),
  );
  return { steps, inputs, outputs, arena, root: rootsOf(builder), head: compiledHead(builder, head, scores) };
}
