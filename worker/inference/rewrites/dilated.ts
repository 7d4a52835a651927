/**
 * Rewrites a dilated convolution that an older converter expressed as SPACE_TO_BATCH_ND, a convolution and
 * BATCH_TO_SPACE_ND as one convolution.
 */
import type { Operator } from "../../tflite/graph.ts";
import type { ConvOptions } from "../../tflite/options.ts";
import type { GraphEditor } from "./editor.ts";

/** How far a dilated window extends beyond its first place, in pixels. */
const reach = (size: number, dilation: number): number => (size - 1) * dilation;

/** The replacement of the three operators; undefined if they are not such a convolution. */
function asConvolution(editor: GraphEditor, back: Operator): Operator[] | undefined {
  const convolution = editor.producerOf(back.inputs[0]);
  const forth = convolution && editor.producerOf(convolution.inputs[0]);
  if (convolution?.op !== "CONV_2D" && convolution?.op !== "DEPTHWISE_CONV_2D") return undefined;
  if (forth?.op !== "SPACE_TO_BATCH_ND") return undefined;
  const alone = [forth, convolution].every(({ outputs }) => editor.soleReaderOf(outputs[0]) !== undefined);
  const [block, padding] = [editor.integersOf(forth.inputs[1]), editor.integersOf(forth.inputs[2])];
  const [sameBlock, crops] = [editor.integersOf(back.inputs[1]), editor.integersOf(back.inputs[2])];
  const options = convolution.options as ConvOptions;
  const [input, filter] = [editor.tensors[forth.inputs[0]], editor.tensors[convolution.inputs[1]]];
  const plain = options.padding === "valid" && [...options.stride, ...options.dilation].every((value) => value === 1);
  if (!alone || !plain || input?.shape.length !== 4 || filter?.shape.length !== 4) return undefined;
  if (block?.length !== 2 || padding?.length !== 4 || crops?.length !== 4) return undefined;
  if (`${block}` !== `${sameBlock}` || crops[0] !== 0 || crops[2] !== 0) return undefined;
  const after = [padding[1] - crops[1], padding[3] - crops[3]];
  if (after.some((count) => count < 0)) return undefined;
  const dilation = [block[0], block[1]] as const;
  const total = [reach(filter.shape[1], dilation[0]), reach(filter.shape[2], dilation[1])];
  const before = [padding[0], padding[2]];
  const dilated = (value: number, kind: ConvOptions["padding"]): Operator => ({
    ...convolution,
    inputs: [value, ...convolution.inputs.slice(1)],
    outputs: back.outputs,
    options: { ...options, padding: kind, dilation } satisfies ConvOptions,
  });
  if (total.every((pixels, axis) => before[axis] === pixels >> 1 && after[axis] === pixels - (pixels >> 1))) {
    return [dilated(input.index, "same")];
  }
  if ([...before, ...after].every((count) => count === 0)) return [dilated(input.index, "valid")];
  const [batch, height, width, channels] = input.shape;
  const shape = [batch, height + before[0] + after[0], width + before[1] + after[1], channels];
  const padded = editor.addLike(input, { shape, name: "" });
  const pads = editor.addIntegers([0, 0, before[0], after[0], before[1], after[1], 0, 0], [4, 2]);
  const pad = { index: forth.index, op: "PAD", inputs: [input.index, pads], outputs: [padded], options: undefined };
  return [pad, dilated(padded, "valid")];
}

export function mergeDilation(editor: GraphEditor): void {
  for (const back of editor.operators.filter(({ op }) => op === "BATCH_TO_SPACE_ND")) {
    const written = asConvolution(editor, back);
    if (written !== undefined) editor.replace(back, written);
  }
}
