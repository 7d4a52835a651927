/** Operators that combine two values; their operands are broadcast to each other's shapes. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { type Activated, readActivated } from "../../tflite/options.ts";
import type { ReferenceOps } from "../context.ts";
import { ElementwiseOperation } from "../plan/layouts.ts";
import { productMultipliers, sumMultipliers } from "../plan/lower/byte-arithmetic.ts";
import { prelu, squaredDifference } from "../plan/lower/byte-pairs.ts";
import { type Combination, elementwiseSteps } from "../plan/lower/elementwise.ts";
import { type ComputedOperator, computed, type RewrittenOperator } from "./definition.ts";
import { foldPairs } from "./fold.ts";

type Described<Options> = Pick<ComputedOperator<Options>, "computes" | "options" | "fold"> &
  Partial<Pick<ComputedOperator<Options>, "types" | "values" | "onOneScale" | "quantised" | "endsBlock">>;

/**
 * @param tfjs The reference implementation.
 * @param combination The operation in the kernels' parameters.
 */
const binary = <Options = undefined>(
  described: Described<Options>,
  tfjs: (tf: ReferenceOps) => (a: TfTensor, b: TfTensor) => TfTensor,
  combination: Combination,
): ComputedOperator<Options> =>
  computed<Options>({
    ...described,
    inputs: 2,
    reference(_, context) {
      const operands = context.operands();
      const combine = tfjs(context.tf);
      return (changing) => {
        const [a, b] = operands(changing);
        return combine(a, b);
      };
    },
    lower: (builder, operator) => elementwiseSteps(builder, operator, combination),
  });

/** The greater or the lesser of two values of the same scale. */
const EXTREMUM = { values: "all", onOneScale: true, quantised: "moves" } as const;

export const ELEMENTWISE = {
  ADD: binary<Activated>(
    { computes: "a + b", options: readActivated, fold: foldPairs((a, b) => a + b), endsBlock: true },
    (tf) => tf.add,
    { operation: ElementwiseOperation.add, swapped: ElementwiseOperation.add, u8: { multipliers: sumMultipliers } },
  ),
  SUB: binary<Activated>(
    { computes: "a − b", options: readActivated, fold: foldPairs((a, b) => a - b) },
    (tf) => tf.sub,
    {
      operation: ElementwiseOperation.subtract,
      swapped: ElementwiseOperation.subtractFrom,
      u8: { multipliers: sumMultipliers },
    },
  ),
  MUL: binary<Activated>(
    { computes: "a · b", options: readActivated, fold: foldPairs((a, b) => a * b) },
    (tf) => tf.mul,
    {
      operation: ElementwiseOperation.multiply,
      swapped: ElementwiseOperation.multiply,
      u8: { multipliers: productMultipliers },
    },
  ),
  DIV: binary<Activated>(
    // For uint8 and int8, TensorFlow Lite shifts by too many bits if quotients are small.
    { computes: "a / b", options: readActivated, types: ["float32"] },
    (tf) => tf.div,
    { operation: ElementwiseOperation.divide, swapped: ElementwiseOperation.divideInto },
  ),
  MAXIMUM: binary({ computes: "the greater of a and b", ...EXTREMUM }, (tf) => tf.maximum, {
    operation: ElementwiseOperation.maximum,
    swapped: ElementwiseOperation.maximum,
    u8: { table: () => Math.max },
  }),
  MINIMUM: binary({ computes: "the lesser of a and b", ...EXTREMUM }, (tf) => tf.minimum, {
    operation: ElementwiseOperation.minimum,
    swapped: ElementwiseOperation.minimum,
    u8: { table: () => Math.min },
  }),
  SQUARED_DIFFERENCE: binary(
    { computes: "(a − b)²", types: ["float32", "int8"] },
    (tf) => (a, b) => tf.mul(tf.sub(a, b), tf.sub(a, b)),
    {
      operation: ElementwiseOperation.squaredDifference,
      swapped: ElementwiseOperation.squaredDifference,
      u8: { table: squaredDifference },
    },
  ),
  PRELU: binary(
    { computes: "a, times b where it is negative" },
    (tf) => (x, slope) => tf.add(tf.relu(x), tf.mul(slope, tf.minimum(x, 0))),
    { operation: ElementwiseOperation.prelu, swapped: undefined, u8: { table: prelu } },
  ),
  SQUARE: {
    kind: "rewritten",
    computes: "a · a",
    types: ["float32"],
    rewrite: (operator) => [{ ...operator, op: "MUL", inputs: [operator.inputs[0], operator.inputs[0]] }],
  } satisfies RewrittenOperator,
};
