/** The tensors of an operator, and the refusal of a graph that names the operator which stands in the way. */
import { LabelerError } from "../errors.ts";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";

/** @throws LabelerError of kind model-unusable. */
export function refuse(operator: Operator, reason: string): never {
  throw new LabelerError("model-unusable", `Operator ${operator.index} (${operator.op}) ${reason}.`);
}

/** A tensor by its index, or a refusal where a damaged file points nowhere. */
export function tensorAt(graph: Graph, operator: Operator, index: number | undefined): Tensor {
  const tensor = index === undefined ? undefined : graph.tensors[index];
  return tensor ?? refuse(operator, `needs a tensor that the file does not have (number ${index})`);
}
