/** Rewrites a network's graph with fewer kinds of operators, before its support is checked. */
import type { Graph } from "../../tflite/graph.ts";
import { mergeDilation } from "./dilated.ts";
import { GraphEditor } from "./editor.ts";
import { dropCast, dropResize } from "./front.ts";
import { splitGroups } from "./grouped.ts";
import { dropArgMax, dropUnused } from "./outputs.ts";
import { addBranches } from "./select.ts";

/**
 * @param output The tensor that is used, if the graph has several outputs.
 * @returns A graph with the same values. Its input may be another tensor: the output of a dropped change of type or
 *   size.
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
  // The rewrites may have left operators whose outputs nothing reads any more.
  dropUnused(editor);
  return editor.finish();
}
