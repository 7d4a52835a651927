/** Which of a network's outputs is used, and what of the network it needs. */
import type { GraphEditor } from "./editor.ts";

/** A network that ends in the number of the best class has that class's scores right before it. */
export function dropArgMax(editor: GraphEditor): void {
  const [output, ...others] = editor.outputs;
  const last = editor.producerOf(output ?? -1);
  if (last?.op !== "ARG_MAX" || others.length > 0) return;
  editor.outputs = [last.inputs[0]];
  editor.remove(last);
}

/** Removes all operators of which no output depends. */
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
