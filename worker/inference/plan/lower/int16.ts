/**
 * Which float tensors a fast plan keeps as int16 of one step: those that a ReLU6 holds in 0..6, between convolutions. It
 * halves the memory that goes to and fro, and spares convolutions the quantising.
 */
import type { Graph, Operator } from "../../../tflite/graph.ts";
import type { ConvOptions } from "../../../tflite/options.ts";
import { integers, sizeOf } from "../../constants.ts";
import { pairsOf } from "../../pairs.ts";
import { DEEPEST_I16 } from "../pack/f32.ts";
import { tensorOf } from "./value.ts";

const isConvolution = (operator: Operator): operator is Operator<ConvOptions> =>
  operator.op === "CONV_2D" || operator.op === "DEPTHWISE_CONV_2D";

/** The operators that read a tensor. */
export const readersOf = (graph: Graph, tensor: number): readonly Operator[] =>
  graph.operators.filter(({ inputs }) => inputs.includes(tensor));

/** What a PAD adds before and after each axis. */
export const paddingsOf = (graph: Graph, operator: Operator): number[][] =>
  pairsOf(integers(tensorOf(graph, operator.inputs[1])));

/** Whether a PAD is one of height and width, before convolutions alone: they pad anyway, and take it over. */
export function isTakenOver(graph: Graph, operator: Operator): boolean {
  const [target] = operator.outputs;
  if (graph.outputs.includes(target) || tensorOf(graph, target).shape.length !== 4) return false;
  const spatial = paddingsOf(graph, operator).every(([a, b], axis) => axis === 1 || axis === 2 || a + b === 0);
  const readers = readersOf(graph, target).every((reader) => {
    return isConvolution(reader) && reader.inputs[0] === target && reader.options.padding === "valid";
  });
  return spatial && readers;
}

/** Whether a matrix product of this operator fits 16 bits; a depthwise convolution has none. */
function isShallow(graph: Graph, operator: Operator): boolean {
  const { shape } = tensorOf(graph, operator.inputs[1]);
  return operator.op === "DEPTHWISE_CONV_2D" || sizeOf(shape.slice(1)) <= DEEPEST_I16;
}

function isFloatConvolution(graph: Graph, operator: Operator) {
  if (!isConvolution(operator)) return false;
  const [input, output] = [tensorOf(graph, operator.inputs[0]), tensorOf(graph, operator.outputs[0])];
  return input.type === "float32" && output.type === "float32" && isShallow(graph, operator);
}

function takesInt16(graph: Graph, operator: Operator, tensor: number): boolean {
  if (operator.op === "PAD") {
    const [target] = operator.outputs;
    const readers = readersOf(graph, target);
    return isTakenOver(graph, operator) && readers.every((reader) => takesInt16(graph, reader, target));
  }
  return isFloatConvolution(graph, operator) && operator.inputs.lastIndexOf(tensor) === 0;
}

/** The tensors, by index, that are int16 in a fast plan. */
export function int16Tensors(graph: Graph): ReadonlySet<number> {
  const found = graph.operators.filter((operator) => {
    const [output] = operator.outputs;
    return (
      isConvolution(operator) &&
      operator.options.activation === "RELU6" &&
      isFloatConvolution(graph, operator) &&
      (tensorOf(graph, output).shape.at(-1) ?? 1) % 2 === 0 &&
      !graph.outputs.includes(output) &&
      readersOf(graph, output).every((reader) => takesInt16(graph, reader, output))
    );
  });
  return new Set(found.map(({ outputs }) => outputs[0]));
}
