/**
 * Rewrites a grouped convolution, in which each group sees its own part of the channels, as one convolution per group.
 */
import type { Operator, Quantization, Tensor } from "../../tflite/graph.ts";
import type { GraphEditor } from "./editor.ts";

/** The most groups: with more, slicing would take longer than the sums. */
const MOST_GROUPS = 64;

const sliceQuantization = (given: Quantization | undefined, from: number, count: number): Quantization | undefined =>
  given === undefined || given.scale.length === 1
    ? given
    : { ...given, scale: given.scale.slice(from, from + count), zeroPoint: given.zeroPoint.slice(from, from + count) };

/** Adds a part of a constant along its first dimension, without a copy. @returns Its index. */
function part(editor: GraphEditor, tensor: Tensor, from: number, count: number): number {
  const [length, ...inner] = tensor.shape;
  const bytes = (tensor.data?.length ?? 0) / length;
  return editor.addLike(tensor, {
    shape: [count, ...inner],
    quantization: sliceQuantization(tensor.quantization, from, count),
    data: tensor.data?.subarray(from * bytes, (from + count) * bytes),
  });
}

function split(editor: GraphEditor, convolution: Operator): Operator[] | undefined {
  const [input, filter, bias] = convolution.inputs.map((index) => editor.tensors[index]);
  const output = editor.tensors[convolution.outputs[0]];
  if (input?.shape.length !== 4 || filter?.shape.length !== 4 || output?.shape.length !== 4) return undefined;
  if (filter.data === undefined || (bias !== undefined && bias.data === undefined)) return undefined;
  const [channels, own, filters] = [input.shape[3], filter.shape[3], filter.shape[0]];
  const groups = channels / own;
  const fits = Number.isInteger(groups) && groups > 1 && groups <= MOST_GROUPS && filters % groups === 0;
  if (!fits) return undefined;
  const each = filters / groups;
  const { index, options } = convolution;
  const [outer, inner] = [input.shape.slice(0, 3), output.shape.slice(0, 3)];
  const made = Array.from({ length: groups }, (_, group) => {
    const value = editor.addLike(input, { shape: [...outer, own], name: "" });
    const result = editor.addLike(output, { shape: [...inner, each], name: "" });
    const [begin, size] = [editor.addIntegers([0, 0, 0, group * own]), editor.addIntegers([...outer, own])];
    const weights = [filter, ...(bias === undefined ? [] : [bias])].map((t) => part(editor, t, group * each, each));
    const slice = { index, op: "SLICE", inputs: [input.index, begin, size], outputs: [value], options: undefined };
    return { result, operators: [slice, { ...convolution, inputs: [value, ...weights], outputs: [result], options }] };
  });
  const joined = {
    index,
    op: "CONCATENATION",
    inputs: made.map(({ result }) => result),
    outputs: convolution.outputs,
    options: { axis: 3, activation: "NONE" },
  };
  return [...made.flatMap(({ operators }) => operators), joined];
}

export function splitGroups(editor: GraphEditor): void {
  for (const convolution of editor.operators.filter(({ op }) => op === "CONV_2D")) {
    const written = split(editor, convolution);
    if (written !== undefined) editor.replace(convolution, written);
  }
}
