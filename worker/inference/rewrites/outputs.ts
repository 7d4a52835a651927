/** Reduces a network to the output that is used and the operators that it needs. */
import type { GraphEditor } from "./editor.ts";

/** Drops the ARG_MAX of a network that ends in the number of the top-1 class: its input has the scores. */
export function dropArgMax(editor: GraphEditor): void {
  const [output, ...others] = editor.outputs;
  const last = editor.producerOf(output ?? -1);
  if (last?.op !== "ARG_MAX" || others.length > 0) return;
  editor.outputs = [last.inputs[0]];
  editor.remove(last);
}

/** Removes all operators on which no output depends. */
export function dropUnused(editor: GraphEditor): void {
  const needed = new Set(editor.outputs);
  editor.operators = editor.operators
    .toReversed()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((output) => needed.has(output))) return false;
      for (const input of inputs) needed.add(input);
      return true;
    })
    .toReversed();
}
