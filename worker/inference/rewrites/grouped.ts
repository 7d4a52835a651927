/**
 * Rewrites a grouped convolution, in which each group of filters sees its own part of the channels: as a depthwise
 * convolution if each part is one channel, elsewhere as convolutions of slices.
 */
import type { Operator, Quantization, Tensor } from "../../tflite/graph.ts";
import type { ConvOptions } from "../../tflite/options.ts";
import { sizeOf } from "../constants.ts";
import { PANEL_CHANNELS } from "../plan/layouts.ts";
import type { GraphEditor } from "./editor.ts";

/** The most convolutions that one becomes: with more, slicing would take longer than the sums. */
const MOST_SLICES = 64;

/** The most bytes of weights that are written anew for a network: a hostile file could ask for any number. */
const MOST_BYTES = 64 << 20;

interface Grouped {
  readonly convolution: Operator<ConvOptions>;
  readonly input: Tensor;
  readonly output: Tensor;
  readonly groups: number;
  /** Channels of the input, and filters, of each group. */
  readonly own: number;
  readonly each: number;
  /** How many groups one slice has. */
  readonly together: number;
  /** Bytes of the weights that are written anew. */
  readonly bytes: number;
}

/** What replaces a constant, whose values all have `element` bytes; `zero` is the byte that stands for zero in each. */
type Change = (constant: Tensor & { readonly data: Uint8Array }, element: number, zero: number) => Partial<Tensor>;

/** A constant of a network, and the operator that dequantises it, if one does. */
function constantAt(editor: GraphEditor, index: number) {
  const tensor = editor.tensors[index];
  if (tensor === undefined) return undefined;
  const dequantize = tensor.data === undefined ? editor.producerOf(index) : undefined;
  if (dequantize !== undefined && dequantize.op !== "DEQUANTIZE") return undefined;
  const stored = dequantize === undefined ? tensor : editor.tensors[dequantize.inputs[0]];
  const data = stored?.data;
  if (stored === undefined || data === undefined) return undefined;
  const element = data.length / sizeOf(stored.shape);
  const zeros = new Set(stored.quantization?.zeroPoint ?? [0]);
  const [zero = 0] = zeros;
  return Number.isInteger(element) && zeros.size === 1
    ? { tensor, dequantize, stored: { ...stored, data }, element, zero }
    : undefined;
}

/** Adds a changed constant. @returns Its index, and the operator that dequantises it, if one does. */
function addChanged(editor: GraphEditor, index: number, change: Change): { index: number; operators: Operator[] } {
  const constant = constantAt(editor, index);
  if (constant === undefined) throw new Error(`tensor ${index} is not a constant`);
  const { tensor, dequantize, stored, element, zero } = constant;
  const changes = change(stored, element, zero);
  const changed = editor.addLike(stored, changes);
  if (dequantize === undefined) return { index: changed, operators: [] };
  const real = editor.addLike(tensor, { shape: changes.shape ?? tensor.shape });
  return { index: real, operators: [{ ...dequantize, inputs: [changed], outputs: [real] }] };
}

/** @returns Undefined if it is not grouped, or is not one that can be rewritten. */
function asGrouped(editor: GraphEditor, operator: Operator): Grouped | undefined {
  const convolution = operator as Operator<ConvOptions>;
  const [input, filter, bias] = convolution.inputs.map((index) => editor.tensors[index]);
  const output = editor.tensors[convolution.outputs[0]];
  if (input?.shape.length !== 4 || filter?.shape.length !== 4 || output?.shape.length !== 4) return undefined;
  const weights = constantAt(editor, filter.index);
  if (weights === undefined || (bias !== undefined && constantAt(editor, bias.index) === undefined)) return undefined;
  const [channels, own, filters] = [input.shape[3], filter.shape[3], filter.shape[0]];
  const groups = channels / own;
  const fits = Number.isInteger(groups) && groups > 1 && filters % groups === 0 && output.shape[3] === filters;
  if (!fits || (bias !== undefined && sizeOf(bias.shape) !== filters)) return undefined;
  const each = filters / groups;
  const together = Math.min(groups, Math.max(Math.ceil(PANEL_CHANNELS / each), Math.ceil(groups / MOST_SLICES)));
  const copies = own === 1 ? 1 : together === 1 ? 0 : together;
  const bytes = copies * weights.stored.data.length;
  return { convolution, input, output, groups, own, each, together, bytes };
}

/** [filters, height, width, 1] → [1, height, width, filters] */
const transposed: Change = ({ shape, data, quantization }, element) => {
  const [filters] = shape;
  const places = sizeOf(shape) / filters;
  const to = new Uint8Array(data.length);
  for (let filter = 0; filter < filters; filter++) {
    for (let place = 0; place < places; place++) {
      const from = (filter * places + place) * element;
      to.set(data.subarray(from, from + element), (place * filters + filter) * element);
    }
  }
  return {
    shape: [1, shape[1], shape[2], filters],
    data: to,
    quantization: quantization && { ...quantization, axis: 3 },
  };
};

function asDepthwise(editor: GraphEditor, { convolution }: Grouped): Operator[] {
  const [input, filter, ...bias] = convolution.inputs;
  const weights = addChanged(editor, filter, transposed);
  const options = { ...convolution.options, grouped: true };
  const inputs = [input, weights.index, ...bias];
  return [...weights.operators, { ...convolution, op: "DEPTHWISE_CONV_2D", inputs, options }];
}

const sliceQuantization = (given: Quantization | undefined, from: number, count: number): Quantization | undefined =>
  given === undefined || given.scale.length === 1
    ? given
    : { ...given, scale: given.scale.slice(from, from + count), zeroPoint: given.zeroPoint.slice(from, from + count) };

/** A part of a constant along its first dimension, without a copy. */
const part =
  (from: number, count: number): Change =>
  ({ shape: [length, ...inner], data, quantization }) => {
    const bytes = data.length / length;
    return {
      shape: [count, ...inner],
      quantization: sliceQuantization(quantization, from, count),
      data: data.subarray(from * bytes, (from + count) * bytes),
    };
  };

/** The filters of neighbouring groups as those of one: [filters, height, width, groups · own], zero in the other groups. */
const merged =
  (from: number, groups: number, { own, each }: Grouped): Change =>
  (constant, element, zero) => {
    const { shape, quantization, data } = { ...constant, ...part(from * each, groups * each)(constant, element, zero) };
    if (groups === 1 || data === undefined) return { shape, quantization, data };
    const [filters, height, width] = shape;
    const places = height * width;
    const to = new Uint8Array(data.length * groups).fill(zero);
    for (let filter = 0; filter < filters; filter++) {
      const group = Math.floor(filter / each);
      for (let place = filter * places; place < (filter + 1) * places; place++) {
        const values = data.subarray(place * own * element, (place + 1) * own * element);
        to.set(values, (place * groups + group) * own * element);
      }
    }
    return { shape: [filters, height, width, groups * own], quantization, data: to };
  };

/**
 * As one convolution for each group, or for several: where a group has fewer filters than a panel of the kernels, the
 * weights of zero cost nothing.
 */
function asSlices(editor: GraphEditor, grouped: Grouped): Operator[] {
  const { convolution, input, output, groups, own, each, together } = grouped;
  const { index, inputs } = convolution;
  const options = { ...convolution.options, grouped: true };
  const [outer, inner] = [input.shape.slice(0, 3), output.shape.slice(0, 3)];
  const made = Array.from({ length: Math.ceil(groups / together) }, (_, slice) => {
    const first = slice * together;
    const count = Math.min(together, groups - first);
    const all = count === groups;
    const weights = addChanged(editor, inputs[1], merged(first, count, grouped));
    const [bias = -1] = inputs.slice(2);
    const biases = bias === -1 ? undefined : addChanged(editor, bias, part(first * each, count * each));
    const value = all ? input.index : editor.addLike(input, { shape: [...outer, count * own], name: "" });
    const result = all ? output.index : editor.addLike(output, { shape: [...inner, count * each], name: "" });
    const given = [value, weights.index, ...(biases === undefined ? inputs.slice(2) : [biases.index])];
    const conv = { ...convolution, inputs: given, outputs: [result], options };
    const before = [...weights.operators, ...(biases?.operators ?? [])];
    if (all) return { result, operators: [...before, conv] };
    const [begin, size] = [editor.addIntegers([0, 0, 0, first * own]), editor.addIntegers([...outer, count * own])];
    const cut = { index, op: "SLICE", inputs: [input.index, begin, size], outputs: [value], options: undefined };
    return { result, operators: [...before, cut, conv] };
  });
  const operators = made.flatMap((slice) => slice.operators);
  if (made.length === 1) return operators;
  const joined = {
    index,
    op: "CONCATENATION",
    inputs: made.map(({ result }) => result),
    outputs: convolution.outputs,
    options: { axis: 3, activation: "NONE" },
  };
  return [...operators, joined];
}

export function splitGroups(editor: GraphEditor): void {
  let bytes = 0;
  for (const convolution of editor.operators.filter(({ op }) => op === "CONV_2D")) {
    const grouped = asGrouped(editor, convolution);
    if (grouped === undefined || bytes + grouped.bytes > MOST_BYTES) continue;
    bytes += grouped.bytes;
    editor.replace(convolution, grouped.own === 1 ? asDepthwise(editor, grouped) : asSlices(editor, grouped));
  }
}
