/** Steps for SOFTMAX and LOG_SOFTMAX. */
import type { Of } from "../../tflite/graph.ts";
import { refuse } from "./parts.ts";
import type { Step } from "./step.ts";
import type { Value } from "./value.ts";

/** x → exp(x) / Σ exp(x) along the last dimension. In loops, since what takes a function is ten times slower here. */
function softmax(values: ArrayLike<number>, beta: number): Float64Array {
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
}

/** x → x − log Σ exp(x) along the last dimension. */
function logSoftmax(values: ArrayLike<number>, scale: number): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] - largest) * scale);
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = (values[i] - largest) * scale - Math.log(sum);
  return result;
}

/** On the host: a classifier has one, of as many values as there are classes. */
export function softmaxStep(operator: Of<"SOFTMAX" | "LOG_SOFTMAX">, input: Value, output: Value): Step {
  const beta = operator.op === "SOFTMAX" ? operator.options.beta : 1;
  const of = operator.op === "SOFTMAX" ? softmax : logSoftmax;
  const length = input.tensor.shape.at(-1) ?? 1;
  const rows = input.size / length;
  const each = (run: (buffer: ArrayBufferLike, row: number, from: number, to: number) => void): Step => ({
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
