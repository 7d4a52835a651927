/** Writes a network's graph in fewer kinds of operators, before anybody asks whether it can be run. */
import type { Graph } from "../../tflite/graph.ts";
import { mergeDilation } from "./dilated.ts";
import { GraphEditor } from "./editor.ts";
import { dropCast, dropResize } from "./front.ts";
import { splitGroups } from "./grouped.ts";
import { dropArgMax, dropUnused } from "./outputs.ts";
import { addBranches } from "./select.ts";

/**
 * @param output The tensor that is wanted, if the graph has several outputs.
 * @returns A graph with the same values. Its input may be another tensor: what a change of type or size in front makes of it.
 */
export function rewrite(graph: Graph, output?: number): Graph {
  const editor = new GraphEditor(graph);
  if (output !== undefined) editor.outputs = [output];
  dropArgMax(editor);
  dropUnused(editor);
  dropCast(editor);
  dropResize(editor);
  addBranches(editor);
  mergeDilation(editor);
  splitGroups(editor);
  // What was replaced may have left operators behind that nothing reads any more.
  dropUnused(editor);
  return editor.finish();
}
