/**
 * Drops operators in front of a network that do the labeler's own work on its input: a change of type, and one of size.
 * The labeler resizes with antialiasing, from the image itself, which is more exact than resizing a second time.
 */
import type { Operator } from "../../tflite/graph.ts";
import type { GraphEditor } from "./editor.ts";

const RESIZES: ReadonlySet<string> = new Set(["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"]);
const SCALES: ReadonlySet<string> = new Set(["ADD", "SUB", "MUL", "DIV"]);

/** Drops a CAST of the input to float32: the same numbers can be given as floats. */
export function dropCast(editor: GraphEditor): void {
  const cast = editor.soleReaderOf(editor.inputs[0]);
  if (cast?.op !== "CAST") return;
  const [given, output] = [editor.tensors[editor.inputs[0]], editor.tensors[cast.outputs[0]]];
  if (output?.type !== "float32" || given === undefined) return;
  editor.inputs[0] = output.index;
  editor.tensors[output.index] = { ...output, open: given.open };
  editor.remove(cast);
}

/** Whether an operator treats all pixels alike, so that it commutes with a change of size. */
const scales = (editor: GraphEditor, { op, inputs }: Operator): boolean =>
  SCALES.has(op) && inputs.length === 2 && editor.perChannelOf(inputs[1]) !== undefined;

/** Drops a change of size if only a scale and a shift stand between it and the input. */
export function dropResize(editor: GraphEditor): void {
  const before: Operator[] = [];
  let reader = editor.soleReaderOf(editor.inputs[0]);
  while (reader !== undefined && scales(editor, reader)) {
    before.push(reader);
    reader = editor.soleReaderOf(reader.outputs[0]);
  }
  if (reader === undefined || !RESIZES.has(reader.op)) return;
  const resized = editor.tensors[reader.outputs[0]];
  const given = editor.tensors[editor.inputs[0]];
  if (resized?.shape.length !== 4 || given?.type !== resized.type) return;
  // The tensors before it take its output size; the last one becomes its output.
  const sized = (index: number) =>
    editor.addLike(editor.tensors[index], {
      shape: resized.shape,
      open: resized.open,
      quantization: resized.quantization,
    });
  const renamed = new Map(before.slice(0, -1).map(({ outputs }) => [outputs[0], sized(outputs[0])]));
  const input = before.length === 0 ? resized.index : sized(editor.inputs[0]);
  renamed.set(editor.inputs[0], input);
  for (const [position, operator] of before.entries()) {
    const [value, constant] = operator.inputs;
    const output = position === before.length - 1 ? resized.index : (renamed.get(operator.outputs[0]) ?? -1);
    editor.replace(operator, [{ ...operator, inputs: [renamed.get(value) ?? value, constant], outputs: [output] }]);
  }
  editor.inputs[0] = input;
  editor.remove(reader);
}
