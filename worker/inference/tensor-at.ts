/** Looks up the tensors of an operator, and refuses a graph with an error that names the unsupported operator. */
import { LabelerError } from "../errors.ts";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";

/** @throws LabelerError of kind model-unusable. */
export function refuse(operator: Operator, reason: string): never {
  throw new LabelerError("model-unusable", `Operator ${operator.index} (${operator.op}) ${reason}.`);
}

/** A tensor by its index; refuses a damaged file whose index does not exist. */
export function tensorAt(graph: Graph, operator: Operator, index: number | undefined): Tensor {
  const tensor = index === undefined ? undefined : graph.tensors[index];
  return tensor ?? refuse(operator, `needs a tensor that the file does not have (number ${index})`);
}
