/** Operators that reduce the values along some dimensions, which their second input names. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { ReductionOptions } from "../../tflite/options.ts";
import type { ReferenceOps } from "../context.ts";
import { PoolOperation } from "../plan/layouts.ts";
import { reductionStep } from "../plan/lower/pool.ts";
import { type ComputedOperator, computed } from "./definition.ts";

const reduction = (
  described: Pick<ComputedOperator, "computes"> & Partial<Pick<ComputedOperator, "quantised" | "onOneScale">>,
  tfjs: (tf: ReferenceOps) => (x: TfTensor, axes: number[], keepDims: boolean) => TfTensor,
  operation: PoolOperation,
) =>
  computed<ReductionOptions>({
    ...described,
    options: (table) => ({ keepDims: table.bool(0) }),
    inputs: 2,
    reference({ options: { keepDims } }, context) {
      const axes = context.integers(1);
      const reduce = tfjs(context.tf);
      return ([x]) => reduce(x, axes, keepDims);
    },
    lower: (builder, operator) => [reductionStep(builder, operator, operation)],
  });

export const REDUCE = {
  MEAN: reduction(
    { computes: "the mean along dimensions", quantised: "averages" },
    (tf) => tf.mean,
    PoolOperation.average,
  ),
  SUM: reduction({ computes: "the sum along dimensions" }, (tf) => tf.sum, PoolOperation.sum),
  REDUCE_MAX: reduction(
    { computes: "the greatest value along dimensions", quantised: "moves", onOneScale: true },
    (tf) => tf.max,
    PoolOperation.maximum,
  ),
};
