/**
 * One operator on tfjs: `compile` reads its constants from the graph once and returns a function of the other tensors.
 * Quantised convolutions are summed in integers, as in TFLite; other quantised operators compute on real numbers and
 * round the result to the output's type.
 */
import type { Operator, Quantization, Tensor } from "../tflite/graph.ts";
import { activationOf } from "../tflite/options.ts";
import { type Activate, activate, activated, LINEAR } from "./activation.ts";
import { type Arithmetic, type Compute, type GraphContext, OperatorContext } from "./context.ts";
import type { ComputedOperator } from "./operators/definition.ts";
import { definitionOf } from "./operators/registry.ts";
import { quantizedRange } from "./range.ts";
import { type Requantization, requantize } from "./requantize.ts";
import { tensorAt } from "./tensor-at.ts";
import * as tf from "./tfjs.bundle.js";

type Definition = ComputedOperator<unknown>;

/** The scale and zero point of a quantised tensor; undefined for a float one. */
function quantizationOf({ type, quantization }: Tensor): { scale: number; zeroPoint: number } | undefined {
  if (type === "float32" || quantization === undefined) return undefined;
  return { scale: quantization.scale[0], zeroPoint: quantization.zeroPoint[0] };
}

const sameQuantization = (a: Quantization | undefined, b: Quantization | undefined): boolean =>
  a?.scale[0] === b?.scale[0] && a?.zeroPoint[0] === b?.zeroPoint[0];

/** The reference implementation with its activation. */
function compileIn(
  context: GraphContext,
  definition: Definition,
  operator: Operator,
  arithmetic: Arithmetic,
  how: Activate,
): Compute {
  const compute = definition.reference(operator, new OperatorContext(context, operator, arithmetic, how));
  return definition.fusesActivation ? compute : (inputs) => activated(compute(inputs), how);
}

function compileReal(context: GraphContext, definition: Definition, operator: Operator, how: Activate): Compute {
  const compute = compileIn(context, definition, operator, "real", how);
  const scales = operator.inputs
    .filter((index) => index !== -1 && !context.isConstant(index))
    .map((index) => quantizationOf(tensorAt(context.graph, operator, index))?.scale);
  if (scales.every((scale) => scale === undefined)) return compute;
  return (inputs) => compute(inputs.map((x, i) => (scales[i] === undefined ? x : tf.mul(x, scales[i]))));
}

/** The multipliers of the integer sums of products with weights, if all tensors of the operator are quantised. */
function multipliersOf({ graph }: GraphContext, operator: Operator, scale: number): number[] | undefined {
  const input = quantizationOf(tensorAt(graph, operator, operator.inputs[0]));
  const weights = tensorAt(graph, operator, operator.inputs[1]);
  if (input === undefined || quantizationOf(weights) === undefined || weights.quantization === undefined)
    return undefined;
  return weights.quantization.scale.map((weight) => (input.scale * weight) / scale);
}

/** Whether all inputs that are values have the scale of the output. */
function onOneScale({ graph }: GraphContext, { values }: Definition, operator: Operator, output: Tensor): boolean {
  const sources = values === "all" ? operator.inputs : operator.inputs.slice(0, 1);
  return sources.every((index) => {
    return sameQuantization(tensorAt(graph, operator, index).quantization, output.quantization);
  });
}

/**
 * Compiles one operator that support.ts has accepted.
 *
 * @throws LabelerError of kind model-unusable if a required constant is computed, too short or of an unsupported type.
 */
export function compile(context: GraphContext, operator: Operator): Compute {
  const definition = definitionOf(operator);
  if (definition === undefined) throw new Error("assertSupported let an unknown operator through");
  const output = tensorAt(context.graph, operator, operator.outputs[0]);
  const activation = activationOf(operator);
  const quantized = quantizationOf(output);
  if (quantized === undefined) return compileReal(context, definition, operator, activate(activation));

  const { scale, zeroPoint } = quantized;
  const range = quantizedRange(activation, scale, zeroPoint, output.type);
  const rounded = (compute: Compute, multipliers: readonly number[], rounding: Requantization["rounding"]): Compute => {
    const how = { multipliers, rounding, ...range };
    return (inputs) => requantize(compute(inputs), how);
  };
  const inIntegers = () => compileIn(context, definition, operator, "integer", LINEAR);
  if (definition.weighted) {
    const multipliers = multipliersOf(context, operator, scale);
    if (multipliers !== undefined) return rounded(inIntegers(), multipliers, "fixed");
  } else if (onOneScale(context, definition, operator, output)) {
    if (definition.quantised === "moves" && activation === "NONE") return inIntegers();
    if (definition.quantised === "averages") return rounded(inIntegers(), [1], "once");
  }
  return rounded(compileReal(context, definition, operator, LINEAR), [1 / scale], "once");
}
