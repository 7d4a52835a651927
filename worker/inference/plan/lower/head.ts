/**
 * Finds the end of a classifier: features [height, width, channels], their mean over all places, a matrix that makes a
 * score for each class of it, and perhaps a softmax. There the score of a class is a mean over places, too.
 */
import type { Graph, Operator } from "../../../tflite/graph.ts";
import { integers } from "../../constants.ts";
import { definitionOf, known } from "../../operators/registry.ts";
import { tensorOf } from "./value.ts";

export interface Head {
  /** The tensor of features, [1, height, width, channels]. */
  readonly features: number;
  /** The operator that makes scores: CONV_2D of 1×1, or FULLY_CONNECTED. */
  readonly classifier: Operator;
  /** What a step of a quantised weight is worth: once, or for each class. 1 for floats. */
  readonly weightScales: readonly number[];
}

/** The operator that makes a tensor, or makes what reaches it unchanged. */
export function makerOf(graph: Graph, tensor: number | undefined): Operator | undefined {
  const maker = graph.operators.find(({ outputs }) => outputs[0] === tensor);
  return maker && definitionOf(maker)?.passesOn ? makerOf(graph, maker.inputs[0]) : maker;
}

/** Whether an operator makes the mean over all places of an image. */
export const isGlobal = (graph: Graph, operator: Operator): boolean => {
  const pool = known(operator);
  if (pool === undefined) return false;
  const { shape } = tensorOf(graph, pool.inputs[0]);
  const output = tensorOf(graph, pool.outputs[0]);
  if (shape.length !== 4 || shape[0] !== 1) return false;
  if (pool.op === "AVERAGE_POOL_2D") {
    // One window over everything needs no padding, whichever it asks for.
    const { size, activation } = pool.options;
    return (
      activation === "NONE" &&
      size.join() === shape.slice(1, 3).join() &&
      output.shape.join() === [1, 1, 1, shape[3]].join()
    );
  }
  if (pool.op !== "MEAN") return false;
  const axes = integers(tensorOf(graph, pool.inputs[1])).map((axis) => (axis + 4) % 4);
  return [...new Set(axes)].sort().join() === "1,2";
};

function isPlain(graph: Graph, operator: Operator): boolean {
  const classifier = known(operator);
  if (classifier?.op !== "CONV_2D" && classifier?.op !== "FULLY_CONNECTED") return false;
  const { shape } = tensorOf(graph, classifier.inputs[1]);
  const one = classifier.op === "FULLY_CONNECTED" || (shape[1] === 1 && shape[2] === 1);
  return one && classifier.options.activation === "NONE";
}

/** @returns The head, or why there is none. */
export function findHead(graph: Graph): Head | string {
  let classifier = makerOf(graph, graph.outputs[0]);
  if (classifier?.op === "SOFTMAX") classifier = makerOf(graph, classifier.inputs[0]);
  if (classifier === undefined || !isPlain(graph, classifier)) {
    return `its scores come from ${classifier?.op ?? "nowhere"}, not from a plain matrix of weights`;
  }
  const pool = makerOf(graph, classifier.inputs[0]);
  if (pool === undefined || !isGlobal(graph, pool)) {
    return `its scores are made of ${pool?.op ?? "its input"}, not of the mean over all places`;
  }
  const weights = tensorOf(graph, classifier.inputs[1]);
  const quantised = weights.type === "uint8" || weights.type === "int8";
  return {
    features: pool.inputs[0],
    classifier,
    weightScales: quantised ? (weights.quantization?.scale ?? [1]) : [1],
  };
}
