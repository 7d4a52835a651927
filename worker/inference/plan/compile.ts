/** Turns a graph into the steps of a plan and lays out the memory of its tensors, or says why there is no plan. */
import type { Graph, KnownOperator } from "../../tflite/graph.ts";
import { integers, sizeOf } from "../constants.ts";
import { assertSupported } from "../support.ts";
import { type ArenaLayout, layOut } from "./arena.ts";
import { Builder, type PlanPrecision } from "./builder.ts";
import { convolutionStep } from "./convolution.ts";
import { mustFit } from "./fit.ts";
import { otherStep } from "./others.ts";
import type { Step } from "./step.ts";
import { NoPlan, tensorOf, toValue, type Value } from "./value.ts";

export interface Compiled {
  readonly steps: readonly Step[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly arena: ArenaLayout;
  /** The tensor in whose memory a tensor lies. */
  root(tensor: number): number;
}

/** The operators that read a tensor. */
const readersOf = (graph: Graph, tensor: number) => graph.operators.filter(({ inputs }) => inputs.includes(tensor));

/** Hands a PAD of height and width to the convolution behind it, which pads anyway. */
function foldPadding(builder: Builder, operator: Extract<KnownOperator, { op: "PAD" }>): void {
  const { graph } = builder;
  const [source, paddings] = operator.inputs;
  const [output] = operator.outputs;
  const [, [top = 0] = [], [left = 0] = []] = pairs(integers(tensorOf(graph, paddings)));
  const others = pairs(integers(tensorOf(graph, paddings))).filter((_, axis) => axis !== 1 && axis !== 2);
  const readers = readersOf(graph, output);
  const taken =
    tensorOf(graph, source).shape.length === 4 &&
    others.every(([before, after]) => before === 0 && after === 0) &&
    !graph.outputs.includes(output) &&
    readers.every((reader) => {
      const windowed = reader.op === "CONV_2D" || reader.op === "DEPTHWISE_CONV_2D";
      return windowed && reader.inputs[0] === output && reader.options.padding === "valid";
    });
  const inner = tensorOf(graph, source).shape;
  const shape = pairs(integers(tensorOf(graph, paddings))).map(([before, after], axis) => before + inner[axis] + after);
  mustFit(operator, shape.join() === tensorOf(graph, output).shape.join() && top >= 0 && left >= 0);
  if (!taken) throw new NoPlan(`operator ${operator.index} (PAD) is not before a convolution that could pad itself`);
  builder.pad(output, source, [top, left]);
}

const pairs = (flat: readonly number[]): number[][] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);

/** Whether the values are already where the output wants them. */
function isView(builder: Builder, operator: KnownOperator): boolean {
  if (operator.op === "RESHAPE" || operator.op === "SQUEEZE") {
    const [from, to] = [builder.input(operator, 0), builder.output(operator)];
    if (from.kind !== to.kind || from.size !== to.size) throw new NoPlan(`operator ${operator.index} changes kinds`);
    return from.kind === "f32" || to.kind === "f32" || (from.zero === to.zero && from.scale === to.scale);
  }
  if (operator.op !== "QUANTIZE") return false;
  // uint8 ↔ int8 of the same scale is the same byte here.
  const [from, to] = [builder.input(operator, 0), builder.output(operator)];
  return from.kind === "u8" && to.kind === "u8" && from.scale === to.scale && from.zero === to.zero;
}

function stepOf(builder: Builder, operator: KnownOperator): Step | undefined {
  const { graph } = builder;
  const [source] = operator.inputs;
  const [output] = operator.outputs;
  if (operator.op === "DEQUANTIZE" && builder.isConstant(source)) {
    builder.fold(output, tensorOf(graph, source));
    return undefined;
  }
  if (operator.op === "PAD") {
    foldPadding(builder, operator);
    return undefined;
  }
  if (isView(builder, operator)) {
    builder.alias(output, source);
    return undefined;
  }
  switch (operator.op) {
    case "CONV_2D":
    case "DEPTHWISE_CONV_2D":
    case "FULLY_CONNECTED":
      return convolutionStep(builder, operator);
    default:
      return otherStep(builder, operator);
  }
}

/** The tensors that a step reads and writes. */
const tensorsOf = (step: Step): number[] =>
  "kernel" in step
    ? step.words.flatMap((word) => (typeof word === "object" && "tensor" in word ? [word.tensor] : []))
    : [step.from, step.to];

/**
 * @param dot Whether the relaxed dot product of bytes is exact on this CPU.
 * @throws NoPlan with the reason if a kernel is missing; LabelerError of kind model-unusable if the
 *   executor could not run the graph either.
 */
export function compile(graph: Graph, precision: PlanPrecision, dot: boolean): Compiled {
  assertSupported(graph);
  const builder = new Builder(graph, precision, dot);
  const steps: Step[] = [];
  for (const operator of graph.operators) {
    if (operator.op === "UNKNOWN") throw new NoPlan(`operator ${operator.index} (${operator.code}) is not known`);
    const step = stepOf(builder, operator);
    if (step !== undefined) steps.push(step);
  }
  const inputs = graph.inputs.map((index) => toValue(tensorOf(graph, index)));
  const outputs = graph.outputs.map((index) => toValue(tensorOf(graph, index)));
  const floats = steps.some((step) => "kernel" in step && /^(conv|depthwise)_f32/.test(step.kernel));
  if (precision === "quantised" && floats) throw new NoPlan("the network is not quantised");
  const bytes = (tensor: number) =>
    sizeOf(tensorOf(graph, tensor).shape) * (toValue(tensorOf(graph, tensor)).kind === "f32" ? 4 : 1);
  const root = (tensor: number) => builder.root(tensor);
  const uses = steps.map((step) => tensorsOf(step).map(root));
  const arena = layOut(uses, { first: graph.inputs.map(root), last: graph.outputs.map(root) }, bytes);
  return { steps, inputs, outputs, arena, root };
}
