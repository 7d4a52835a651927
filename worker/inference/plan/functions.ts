/** Steps for functions of one value each. */
import type { FunctionOperator } from "../functions.ts";
import { byteFunction } from "./byte-functions.ts";
import { convert, lookUp, refuse } from "./parts.ts";
import { at, f32, type KernelStep } from "./step.ts";
import { clampOf, type Value } from "./value.ts";

/** `function` of `struct Function`. */
const NUMBERS = { LOGISTIC: 0, TANH: 1, ELU: 2, LEAKY_RELU: 5, EXP: 6, ABS: 7, NEG: 8, SQRT: 9, RSQRT: 10 };
const GELU = { exact: 3, approximate: 4 };

/** `struct Function`. */
const functionStep = (number: number, input: Value, output: Value, parameter = 0): KernelStep => ({
  kernel: "function_f32",
  words: [at(input.tensor.index), at(output.tensor.index), output.size, number, f32(parameter)],
});

function floatStep(operator: FunctionOperator, input: Value, output: Value): KernelStep {
  switch (operator.op) {
    case "RELU":
    case "RELU6":
    case "RELU_N1_TO_1":
      return convert("clamp_values_f32", [input, output], { limits: clampOf(operator.op) });
    case "RELU_0_TO_1":
      return convert("clamp_values_f32", [input, output], { limits: [0, 1] });
    case "HARD_SWISH":
      return convert("hard_swish_f32", [input, output], {});
    case "GELU":
      return functionStep(operator.options.approximate ? GELU.approximate : GELU.exact, input, output);
    case "LEAKY_RELU":
      return functionStep(NUMBERS.LEAKY_RELU, input, output, operator.options.alpha);
    default:
      return functionStep(NUMBERS[operator.op], input, output);
  }
}

export function stepOfFunction(operator: FunctionOperator, input: Value, output: Value): KernelStep {
  if (input.kind === "f32" && output.kind === "f32") return floatStep(operator, input, output);
  if (input.kind !== "u8" || output.kind !== "u8") return refuse(operator, "mixes floats and integers");
  return lookUp(input, output, byteFunction(operator, input, output));
}
