/**
 * Merges what follows a convolution into it, as TensorFlow's converter does: factors and shifts for each channel, such as a
 * batch normalization, become part of its weights and biases, and a ReLU its fused activation.
 */
import { realValues, sizeOf } from "../../../../worker/inference/constants.ts";
import { GraphEditor } from "../../../../worker/inference/rewrites/editor.ts";
import type { Graph, Operator, Tensor } from "../../../../worker/tflite/graph.ts";
import { type Activated, activationOf } from "../../../../worker/tflite/options.ts";

const LINEAR: ReadonlySet<string> = new Set(["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"]);
const FUSED: ReadonlySet<string> = new Set(["RELU", "RELU6", "RELU_N1_TO_1"]);

/** Operators that TensorFlow Lite gives a fused activation; CONCATENATION has the option and does not apply it. */
const FUSING: ReadonlySet<string> = new Set([...LINEAR, "ADD", "SUB", "MUL", "DIV", "AVERAGE_POOL_2D", "MAX_POOL_2D"]);

/** The operator whose output only `reader` reads. */
function before(editor: GraphEditor, tensor: number): Operator | undefined {
  return editor.soleReaderOf(tensor) === undefined ? undefined : editor.producerOf(tensor);
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** The constant of an operator of two operands, and the operand that is computed. */
function constantOf(editor: GraphEditor, { op, inputs }: Operator): { value: number; constant: Tensor } | undefined {
  const [first, second] = inputs.map((index) => editor.tensors[index]);
  if (second?.data !== undefined) return { value: inputs[0] ?? -1, constant: second };
  if (first?.data !== undefined && op !== "SUB" && op !== "DIV") return { value: inputs[1] ?? -1, constant: first };
  return undefined;
}

/** factor · x + shift for each channel. */
interface Line {
  readonly factor: (channel: number) => number;
  readonly shift: (channel: number) => number;
}

/** What an operator does to each channel, if that is a line. */
function lineOf(op: string, values: Float32Array): Line | undefined {
  const at = (channel: number) => values[values.length === 1 ? 0 : channel] ?? 0;
  const lines: Readonly<Record<string, Line>> = {
    MUL: { factor: at, shift: () => 0 },
    DIV: { factor: (channel) => 1 / at(channel), shift: () => 0 },
    ADD: { factor: () => 1, shift: at },
    SUB: { factor: () => 1, shift: (channel) => -at(channel) },
  };
  return lines[op];
}

/** Changes the weights of a convolution. @returns Its inputs. */
function scaled(editor: GraphEditor, { op, inputs }: Operator, { factor, shift }: Line): number[] {
  const [input = -1, filter = -1, bias = -1] = inputs;
  const [weights, biases] = [filter, bias].map((index) => editor.tensors[index]) as [Tensor, Tensor];
  const values = realValues(weights);
  const channels = sizeOf(biases.shape);
  // A depthwise filter has its channels last, the others first.
  const run = op === "DEPTHWISE_CONV_2D" ? 1 : values.length / channels;
  for (let i = 0; i < values.length; i++) values[i] *= factor(Math.floor(i / run) % channels);
  const shifted = realValues(biases).map((value, channel) => value * factor(channel) + shift(channel));
  const changed = (tensor: Tensor, data: Float32Array) => editor.addLike(tensor, { data: bytesOf(data) });
  return [input, changed(weights, values), changed(biases, shifted)];
}

/** The convolution with an operator merged into it; undefined if it cannot be. */
function merged(editor: GraphEditor, operator: Operator): readonly [convolution: Operator, Operator] | undefined {
  const found = constantOf(editor, operator);
  const convolution = found && before(editor, found.value);
  if (convolution === undefined || !LINEAR.has(convolution.op) || activationOf(convolution) !== "NONE")
    return undefined;
  const [output, made] = [editor.tensors[operator.outputs[0] ?? -1], editor.tensors[convolution.outputs[0] ?? -1]];
  const count = sizeOf(found?.constant.shape ?? []);
  // A constant of another shape does not go along the channels.
  const isPerChannel = count === made?.shape.at(-1) && count === found?.constant.shape.at(-1);
  if (output?.shape.join() !== made?.shape.join() || (count !== 1 && !isPerChannel)) return undefined;
  const line = found && lineOf(operator.op, realValues(found.constant));
  if (line === undefined) return undefined;
  return [convolution, { ...convolution, inputs: scaled(editor, convolution, line), outputs: operator.outputs }];
}

/** The operator before a ReLU with the ReLU as its fused activation; undefined if it cannot have one. */
function fused(editor: GraphEditor, { op, inputs, outputs }: Operator): readonly [Operator, Operator] | undefined {
  const producer = FUSED.has(op) ? before(editor, inputs[0] ?? -1) : undefined;
  if (producer === undefined || !FUSING.has(producer.op) || activationOf(producer) !== "NONE") return undefined;
  const options = { ...(producer.options as Activated), activation: op };
  return [producer, { ...producer, options, outputs }];
}

/** Drops the tensors that no operator needs. */
function compact(graph: Graph): Graph {
  const used = new Set([...graph.inputs, ...graph.operators.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])]);
  const tensors = graph.tensors.filter(({ index }) => used.has(index));
  const places = new Map(tensors.map(({ index }, place) => [index, place]));
  const moved = (indices: readonly number[]) => indices.map((index) => places.get(index) ?? -1);
  return {
    ...graph,
    tensors: tensors.map((tensor, index) => ({ ...tensor, index })),
    operators: graph.operators.map((operator, index) => ({
      ...operator,
      index,
      inputs: moved(operator.inputs),
      outputs: moved(operator.outputs),
    })),
    inputs: moved(graph.inputs),
    outputs: moved(graph.outputs),
  };
}

/** @returns A graph with the same values. */
export function mergeOperators(graph: Graph): Graph {
  const editor = new GraphEditor(graph);
  for (const operator of graph.operators) {
    const found = merged(editor, operator) ?? fused(editor, operator);
    if (found === undefined) continue;
    editor.replace(found[0], [found[1]]);
    editor.remove(operator);
  }
  return compact(editor.finish());
}
