/** Operators that compute probabilities along the last dimension. */
import type { Operator } from "../../tflite/graph.ts";
import type { HostCall } from "../plan/host.ts";
import type { Builder } from "../plan/lower/builder.ts";
import { endsOf } from "../plan/lower/functions.ts";
import { refuse } from "../plan/lower/parts.ts";
import { computed } from "./definition.ts";

/** A step on the host: a classifier has a single one, on as many values as there are classes. */
function rowStep(builder: Builder, operator: Operator, name: "softmax" | "log_softmax", beta: number): HostCall {
  const [input, output] = endsOf(builder, operator);
  const length = input.tensor.shape.at(-1) ?? 1;
  const rows = input.size / length;
  const ends = { from: input.tensor.index, to: output.tensor.index };
  if (input.kind === "f32" && output.kind === "f32") {
    return { host: `${name}_f32`, ...ends, parameters: { rows, length, factor: beta } };
  }
  if (input.kind !== "u8" || output.kind !== "u8") return refuse(operator, "mixes floats and integers");
  const { scale, zero } = output;
  return { host: `${name}_u8`, ...ends, parameters: { rows, length, factor: beta * input.scale, scale, zero } };
}

export const SOFTMAXES = {
  SOFTMAX: computed<{ readonly beta: number }>({
    computes: "eᵝˣ / Σ eᵝˣ",
    options: (table) => ({ beta: table.float32(0) }),
    givesProbabilities: "of-one-class",
    reference({ options: { beta } }, { tf }) {
      return ([x]) => tf.softmax(beta === 1 ? x : tf.mul(x, beta));
    },
    lower: (builder, operator) => [rowStep(builder, operator, "softmax", operator.options.beta)],
  }),
  LOG_SOFTMAX: computed({
    computes: "x − log Σ eˣ",
    reference(_, { tf }) {
      // It does not take the logarithm of a softmax, in which small probabilities are rounded.
      return ([x]) => {
        const below = tf.sub(x, tf.max(x, -1, true));
        return tf.sub(below, tf.mapValues(tf.sum(tf.mapValues(below, Math.exp), -1, true), Math.log));
      };
    },
    lower: (builder, operator) => [rowStep(builder, operator, "log_softmax", 1)],
  }),
};
