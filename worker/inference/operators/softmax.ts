/** Operators that compute probabilities along the last dimension. */
import type { Operator } from "../../tflite/graph.ts";
import type { Builder } from "../plan/builder.ts";
import { endsOf } from "../plan/functions.ts";
import { refuse } from "../plan/parts.ts";
import type { HostStep } from "../plan/step.ts";
import { computed } from "./definition.ts";

/** Of a row of values, each times a factor. */
type OfRow = (values: ArrayLike<number>, factor: number) => Float64Array;

/** x → exp(x) / Σ exp(x). In loops, since what takes a function is ten times slower here. */
const softmax: OfRow = (values, beta) => {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  const result = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    result[i] = Math.exp((values[i] - largest) * beta);
    sum += result[i];
  }
  for (let i = 0; i < values.length; i++) result[i] /= sum;
  return result;
};

/** x → x − log Σ exp(x) */
const logSoftmax: OfRow = (values, scale) => {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] - largest) * scale);
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = (values[i] - largest) * scale - Math.log(sum);
  return result;
};

/** On the host: a classifier has one, of as many values as there are classes. */
function rowStep(builder: Builder, operator: Operator, of: OfRow, beta: number): HostStep {
  const [input, output] = endsOf(builder, operator);
  const length = input.tensor.shape.at(-1) ?? 1;
  const rows = input.size / length;
  const each = (run: (buffer: ArrayBufferLike, row: number, from: number, to: number) => void): HostStep => ({
    from: input.tensor.index,
    to: output.tensor.index,
    run(buffer, from, to) {
      for (let row = 0; row < rows; row++) run(buffer, row * length, from, to);
    },
  });
  if (input.kind === "f32" && output.kind === "f32") {
    return each((buffer, start, from, to) => {
      const values = new Float32Array(buffer, from + 4 * start, length);
      new Float32Array(buffer, to + 4 * start, length).set(of(values, beta));
    });
  }
  if (input.kind !== "u8" || output.kind !== "u8") return refuse(operator, "mixes floats and integers");
  return each((buffer, start, from, to) => {
    const result = of(new Uint8Array(buffer, from + start, length), beta * input.scale);
    const target = new Uint8ClampedArray(buffer, to + start, length);
    for (let i = 0; i < length; i++) target[i] = Math.floor(result[i] / output.scale + 0.5) + output.zero;
  });
}

export const SOFTMAXES = {
  SOFTMAX: computed<{ readonly beta: number }>({
    computes: "eᵝˣ / Σ eᵝˣ",
    options: (table) => ({ beta: table.float32(0) }),
    givesProbabilities: true,
    reference({ options: { beta } }, { tf }) {
      return ([x]) => tf.softmax(beta === 1 ? x : tf.mul(x, beta));
    },
    lower: (builder, operator) => [rowStep(builder, operator, softmax, operator.options.beta)],
  }),
  LOG_SOFTMAX: computed({
    computes: "x − log Σ eˣ",
    reference(_, { tf }) {
      // Not the logarithm of a softmax, in which small probabilities are rounded.
      return ([x]) => {
        const below = tf.sub(x, tf.max(x, -1, true));
        return tf.sub(below, tf.mapValues(tf.sum(tf.mapValues(below, Math.exp), -1, true), Math.log));
      };
    },
    lower: (builder, operator) => [rowStep(builder, operator, logSoftmax, 1)],
  }),
};
