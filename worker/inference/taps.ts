/**
 * Finds the tensors of a network that are most informative about an image beside its scores: the input and output of
 * its last pooling over all places, and the ends of two blocks before it. Only the structure counts, so this works for
 * any network that ends in such a pooling.
 */
import type { Graph, Operator } from "../tflite/graph.ts";
import { definitionOf } from "./operators/registry.ts";
import { isGlobal, makerOf } from "./plan/lower/head.ts";

/** Tensors by their index in the graph. Those of images are [1, height, width, channels]. */
export interface Taps {
  /** The input of the pooling. */
  readonly map: number;
  readonly pooled: number;
  /** The end of the first block at the resolution of `map`. */
  readonly late: number | undefined;
  /** The end of the last block at a higher resolution, with no more channels than `late`. */
  readonly early: number | undefined;
}

/** A tensor on which everything after it depends exclusively, and the operator that computes it. */
interface Cut {
  readonly tensor: number;
  readonly maker: Operator;
  readonly shape: readonly number[];
}

/**
 * The tensors that cut the graph: once such a tensor is computed, no earlier tensor is read again. A block with a
 * shortcut has none inside it, but one at its end.
 */
function cutsOf(graph: Graph): Cut[] {
  const lastRead = new Map<number, number>();
  for (const [place, { inputs }] of graph.operators.entries()) for (const input of inputs) lastRead.set(input, place);
  const cuts: Cut[] = [];
  const live = new Set(graph.inputs);
  for (const [place, maker] of graph.operators.entries()) {
    const [tensor] = maker.outputs;
    // Chains of constants, such as weights that are dequantised, do not depend on the image.
    if (!maker.inputs.some((input) => live.has(input))) continue;
    for (const input of live) if ((lastRead.get(input) ?? -1) <= place) live.delete(input);
    for (const output of maker.outputs) live.add(output);
    if (live.size === 1) cuts.push({ tensor, maker, shape: graph.tensors[tensor]?.shape ?? [] });
  }
  return cuts;
}

const areaOf = ([, height = 1, width = 1]: readonly number[]): number => height * width;

const endsBlock = ({ maker, shape }: Cut): boolean => shape.length === 4 && definitionOf(maker)?.endsBlock === true;

/** @returns Where to tap, or why there is nowhere. */
export function findTaps(graph: Graph): Taps | string {
  const cuts = cutsOf(graph);
  const last = cuts.findLast(({ maker }) => isGlobal(graph, maker));
  if (last === undefined) {
    const maker = makerOf(graph, graph.outputs[0]);
    return `it ends in ${maker?.op ?? "its input"} without a pooling over all places before`;
  }
  // A block has already ended before a separate activation or a reshape.
  const before = cuts.slice(0, cuts.indexOf(last));
  const [map] = last.maker.inputs;
  const area = areaOf(graph.tensors[map]?.shape ?? []);
  const late = before.find((cut) => endsBlock(cut) && areaOf(cut.shape) === area && cut.tensor !== map);
  const channels = late?.shape[3] ?? 0;
  const early = before.findLast((cut) => endsBlock(cut) && areaOf(cut.shape) > area && cut.shape[3] <= channels);
  return { map, pooled: last.tensor, late: late?.tensor, early: early?.tensor };
}
