/** Checks before anything runs whether the executor can run a graph, and if not, names the unsupported operator. */
import type { Graph, Operator } from "../tflite/graph.ts";
import { activationOf, type Window2d } from "../tflite/options.ts";
import { bytesOf } from "./constants.ts";
import type { ComputedOperator } from "./operators/definition.ts";
import { definitionOf } from "./operators/registry.ts";
import { refuse, tensorAt } from "./tensor-at.ts";

type Definition = ComputedOperator<unknown>;

/** TFLite's own kernels support no others: they silently ignore TANH and SIGN_BIT. */
const FUSED: ReadonlySet<string> = new Set(["NONE", "RELU", "RELU_N1_TO_1", "RELU6"]);

const ACTIVATION_TYPES: ReadonlySet<string> = new Set(["float32", "uint8", "int8"]);

function checkInputs(graph: Graph, operator: Operator, computed: ReadonlySet<number>): void {
  for (const index of operator.inputs) {
    if (index === -1) continue; // an optional input that is absent
    const tensor = tensorAt(graph, operator, index);
    if (tensor.data !== undefined) bytesOf(tensor);
    else if (!computed.has(index)) refuse(operator, `reads tensor ${index} ("${tensor.name}") before it is computed`);
  }
}

function checkActivations(graph: Graph, operator: Operator, { unpacks }: Definition): void {
  const output = tensorAt(graph, operator, operator.outputs[0]);
  const folded = unpacks && tensorAt(graph, operator, operator.inputs[0]).data !== undefined;
  if (!ACTIVATION_TYPES.has(output.type) && !folded) {
    refuse(operator, `has an output of type ${output.type}; float32, uint8 and int8 are supported`);
  }
  if (output.type !== "float32" && output.quantization === undefined)
    refuse(operator, "has an integer output without a scale");
  if ((output.quantization?.scale.length ?? 1) > 1) refuse(operator, "has an output that is quantised per channel");
  if (output.shape.some((dim) => dim < 1)) refuse(operator, `has an output of unknown shape [${output.shape}]`);
}

function checkBytes(graph: Graph, operator: Operator, { types, values, onOneScale }: Definition): void {
  const output = tensorAt(graph, operator, operator.outputs[0]);
  if (output.type !== "uint8" && output.type !== "int8") return;
  if (!types.includes(output.type)) {
    refuse(operator, `is computed on ${output.type}, for which TensorFlow Lite has no kernel to rely on`);
  }
  if (!onOneScale) return;
  const sources = values === "all" ? operator.inputs : operator.inputs.slice(0, 1);
  const alike = sources.every((index) => {
    const { quantization } = tensorAt(graph, operator, index);
    return (
      quantization?.scale[0] === output.quantization?.scale[0] &&
      quantization?.zeroPoint[0] === output.quantization?.zeroPoint[0]
    );
  });
  if (!alike) refuse(operator, "has scales that differ");
}

function checkOptions(graph: Graph, operator: Operator, definition: Definition): void {
  const { options } = operator;
  const activation = activationOf(operator);
  if (!FUSED.has(activation)) refuse(operator, `has the fused activation ${activation}, which is not supported`);
  if (hasStride(options) && options.stride.some((step) => step < 1)) {
    refuse(operator, `has strides ${options.stride}, which are not positive`);
  }
  const inputs = operator.inputs.map((index) => graph.tensors[index]);
  const reason = definition.check?.(operator, { inputs, output: tensorAt(graph, operator, operator.outputs[0]) });
  if (reason !== undefined) refuse(operator, reason);
}

const hasStride = (options: unknown): options is Pick<Window2d, "stride"> =>
  typeof options === "object" && options !== null && "stride" in options;

/**
 * Checks that every operator of the graph is one that the executor runs as TFLite would.
 *
 * @throws LabelerError of kind model-unusable that names the first unsupported operator.
 */
export function assertSupported(graph: Graph): void {
  const computed = new Set(graph.inputs);
  for (const operator of graph.operators) {
    const definition = definitionOf(operator);
    if (definition === undefined) refuse(operator, "is not supported; docs/reference/models.md lists what is");
    if (operator.outputs.length !== 1) refuse(operator, `has ${operator.outputs.length} outputs`);
    for (let input = 0; input < definition.inputs; input++) tensorAt(graph, operator, operator.inputs[input]);
    checkInputs(graph, operator, computed);
    checkActivations(graph, operator, definition);
    checkBytes(graph, operator, definition);
    checkOptions(graph, operator, definition);
    computed.add(operator.outputs[0]);
  }
}
