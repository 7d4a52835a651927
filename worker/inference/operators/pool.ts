/** Operators that compute one value for each window of an image. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import type { Table } from "../../tflite/flatbuffers.ts";
import { type PoolOptions, readWindow } from "../../tflite/options.ts";
import { PoolOperation } from "../plan/layouts.ts";
import { windowStep } from "../plan/lower/pool.ts";
import { computed } from "./definition.ts";

const options = (table: Table): PoolOptions => ({
  ...readWindow(table, 5),
  size: [table.int32(4), table.int32(3)],
});

export const POOL = {
  AVERAGE_POOL_2D: computed<PoolOptions>({
    computes: "the mean of each window",
    options,
    quantised: "averages",
    reference({ options: { size, stride, padding } }, { tf }) {
      return ([x]) => tf.avgPool(x as Tensor4D, [...size], [...stride], padding);
    },
    lower: (builder, operator) => [windowStep(builder, operator, PoolOperation.average)],
  }),
  MAX_POOL_2D: computed<PoolOptions>({
    computes: "the greatest value of each window",
    options,
    quantised: "moves",
    reference({ options: { size, stride, padding } }, { tf }) {
      return ([x]) => tf.maxPool(x as Tensor4D, [...size], [...stride], padding);
    },
    lower: (builder, operator) => [windowStep(builder, operator, PoolOperation.maximum)],
  }),
};
