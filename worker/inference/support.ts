/** Says before anything runs whether the executor can run a graph, and if not, which operator stands in the way. */
import { LabelerError } from "../errors.ts";
import type { Graph, KnownOperator, Operator, Tensor } from "../tflite/graph.ts";
import { KNOWN_OPS } from "../tflite/operators.ts";
import { REWRITTEN } from "../tflite/rewrite.ts";
import { bytesOf, sizeOf } from "./constants.ts";

/** The inputs that operators must have, if not one, without the optional ones behind them. */
const INPUTS: { readonly [Op in KnownOperator["op"]]?: number } = {
  CONV_2D: 2,
  DEPTHWISE_CONV_2D: 2,
  FULLY_CONNECTED: 2,
  MEAN: 2,
  SUM: 2,
  REDUCE_MAX: 2,
  ADD: 2,
  SUB: 2,
  MUL: 2,
  DIV: 2,
  MAXIMUM: 2,
  MINIMUM: 2,
  SQUARED_DIFFERENCE: 2,
  PRELU: 2,
  PAD: 2,
  PADV2: 3,
  MIRROR_PAD: 2,
  SLICE: 3,
  STRIDED_SLICE: 4,
  TRANSPOSE: 2,
};

/** The operators that can be run, by their TFLite names. */
export const SUPPORTED_OPS: readonly string[] = [...KNOWN_OPS, ...REWRITTEN];

/** The types of bytes that TFLite can compute an operator on, if not both. */
const BYTES: { readonly [Op in KnownOperator["op"]]?: readonly Tensor["type"][] } = {
  SQUARED_DIFFERENCE: ["int8"],
  EXP: ["int8"],
  ABS: ["int8"],
  SQRT: ["int8"],
  RSQRT: ["int8"],
  ELU: [],
  // It turns signs without regard to scale and zero point.
  NEG: [],
  // Where quotients are small it shifts by more bits than there are.
  DIV: [],
};

/** Operators that TFLite computes on the bytes as they are, which makes sense on one scale alone. */
const ON_ONE_SCALE: ReadonlySet<string> = new Set(["MAXIMUM", "MINIMUM", "REDUCE_MAX"]);

/** TFLite's own kernels know no others: they leave TANH and SIGN_BIT out without a word. */
const FUSED: ReadonlySet<string> = new Set(["NONE", "RELU", "RELU_N1_TO_1", "RELU6"]);

const ACTIVATION_TYPES: ReadonlySet<string> = new Set(["float32", "uint8", "int8"]);

function refuse(operator: Operator, reason: string): never {
  const name = operator.op === "UNKNOWN" ? operator.code : operator.op;
  throw new LabelerError("model-unusable", `Operator ${operator.index} (${name}) ${reason}.`);
}

/** A tensor by its index, or a refusal where a damaged file points nowhere. */
export function tensorAt(graph: Graph, operator: Operator, index: number | undefined): Tensor {
  const tensor = index === undefined ? undefined : graph.tensors[index];
  return tensor ?? refuse(operator, `needs a tensor that the file does not have (number ${index})`);
}

function checkInputs(graph: Graph, operator: KnownOperator, computed: ReadonlySet<number>): void {
  for (const index of operator.inputs) {
    if (index === -1) continue; // an optional input that is absent
    const tensor = tensorAt(graph, operator, index);
    if (tensor.data !== undefined) bytesOf(tensor);
    else if (!computed.has(index)) refuse(operator, `reads tensor ${index} ("${tensor.name}") before it is computed`);
  }
}

function checkActivations(graph: Graph, operator: KnownOperator): void {
  const output = tensorAt(graph, operator, operator.outputs[0]);
  const folded = operator.op === "DEQUANTIZE" && tensorAt(graph, operator, operator.inputs[0]).data !== undefined;
  if (!ACTIVATION_TYPES.has(output.type) && !folded) {
    refuse(operator, `has an output of type ${output.type}; float32, uint8 and int8 are supported`);
  }
  if (output.type !== "float32" && output.quantization === undefined)
    refuse(operator, "has an integer output without a scale");
  if ((output.quantization?.scale.length ?? 1) > 1) refuse(operator, "has an output that is quantised per channel");
  if (output.shape.some((dim) => dim < 1)) refuse(operator, `has an output of unknown shape [${output.shape}]`);
}

function checkBytes(graph: Graph, operator: KnownOperator): void {
  const output = tensorAt(graph, operator, operator.outputs[0]);
  if (output.type !== "uint8" && output.type !== "int8") return;
  if (BYTES[operator.op]?.includes(output.type) === false) {
    refuse(operator, `is computed on ${output.type}, for which TensorFlow Lite has no kernel to rely on`);
  }
  const sources = operator.inputs.slice(0, operator.op === "REDUCE_MAX" ? 1 : 2);
  const alike = sources.every((index) => {
    const { quantization } = tensorAt(graph, operator, index);
    return (
      quantization?.scale[0] === output.quantization?.scale[0] &&
      quantization?.zeroPoint[0] === output.quantization?.zeroPoint[0]
    );
  });
  if (ON_ONE_SCALE.has(operator.op) && !alike) refuse(operator, "has scales that differ");
}

function checkOptions(graph: Graph, operator: KnownOperator): void {
  const { options } = operator;
  if (options !== undefined && "activation" in options && !FUSED.has(options.activation)) {
    refuse(operator, `has the fused activation ${options.activation}, which is not supported`);
  }
  if (options !== undefined && "stride" in options && options.stride.some((step) => step < 1)) {
    refuse(operator, `has strides ${options.stride}, which are not positive`);
  }
  const input = tensorAt(graph, operator, operator.inputs[0]);
  const output = tensorAt(graph, operator, operator.outputs[0]);
  switch (operator.op) {
    case "CONV_2D":
    case "DEPTHWISE_CONV_2D": {
      const { stride, dilation } = operator.options;
      const filter = tensorAt(graph, operator, operator.inputs[1]);
      if (filter.shape.length !== 4 || input.shape.length !== 4) refuse(operator, "is not two-dimensional");
      if (stride.some((s) => s > 1) && dilation.some((d) => d > 1)) refuse(operator, "has both strides and dilation");
      const channels = input.shape[3] ?? 0;
      if (operator.op === "CONV_2D" && filter.shape[3] !== channels) {
        refuse(
          operator,
          `is a grouped convolution (${channels} channels in, filters for ${filter.shape[3]}), which is not supported`,
        );
      }
      if (operator.op === "DEPTHWISE_CONV_2D" && (filter.shape[3] ?? 0) % channels !== 0) {
        refuse(operator, `has ${filter.shape[3]} filters for ${channels} channels`);
      }
      break;
    }
    case "FULLY_CONNECTED":
      if (operator.options.shuffledWeights) refuse(operator, "has shuffled weights, which are not supported");
      if (sizeOf(input.shape) % (tensorAt(graph, operator, operator.inputs[1]).shape[1] ?? 0) !== 0) {
        refuse(operator, `has an input of shape [${input.shape}] that its weights do not fit`);
      }
      break;
    case "STRIDED_SLICE":
      if (operator.options.ellipsisMask !== 0 || operator.options.newAxisMask !== 0) {
        refuse(operator, "leaves dimensions out or adds some, which is not supported");
      }
      break;
    case "RESHAPE":
    case "SQUEEZE":
      if (sizeOf(input.shape) !== sizeOf(output.shape)) {
        refuse(operator, `turns shape [${input.shape}] into [${output.shape}], which has another size`);
      }
      break;
    default:
  }
}

/**
 * Checks that every operator of the graph is one that the executor runs as TFLite would.
 *
 * @throws LabelerError of kind model-unusable that names the first operator that is not.
 */
export function assertSupported(graph: Graph): void {
  const computed = new Set(graph.inputs);
  for (const operator of graph.operators) {
    if (operator.op === "UNKNOWN") {
      refuse(operator, "is not supported; docs/reference/models.md lists what is");
    }
    if (operator.outputs.length !== 1) refuse(operator, `has ${operator.outputs.length} outputs`);
    for (let input = 0; input < (INPUTS[operator.op] ?? 1); input++) tensorAt(graph, operator, operator.inputs[input]);
    checkInputs(graph, operator, computed);
    checkActivations(graph, operator);
    checkBytes(graph, operator);
    checkOptions(graph, operator);
    computed.add(operator.outputs[0]);
  }
}
