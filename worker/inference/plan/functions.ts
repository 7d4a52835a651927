/** Steps for functions of one value each. */
import type { FunctionOperator } from "../functions.ts";
import { byteFunction } from "./byte-functions.ts";
import { UnaryOperation } from "./layouts.ts";
import { convert, lookUp, refuse } from "./parts.ts";
import { at, type KernelStep } from "./step.ts";
import { clampOf, type Value } from "./value.ts";

const OPERATIONS = {
  LOGISTIC: UnaryOperation.logistic,
  TANH: UnaryOperation.tanh,
  ELU: UnaryOperation.elu,
  EXP: UnaryOperation.exp,
  ABS: UnaryOperation.abs,
  NEG: UnaryOperation.neg,
  SQRT: UnaryOperation.sqrt,
  RSQRT: UnaryOperation.rsqrt,
};

const functionStep = (operation: UnaryOperation, input: Value, output: Value, parameter = 0): KernelStep => ({
  kernel: "function_f32",
  parameters: {
    input: at(input.tensor.index),
    output: at(output.tensor.index),
    size: output.size,
    operation,
    parameter,
  },
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
      return functionStep(
        operator.options.approximate ? UnaryOperation.geluApproximate : UnaryOperation.gelu,
        input,
        output,
      );
    case "LEAKY_RELU":
      return functionStep(UnaryOperation.leakyRelu, input, output, operator.options.alpha);
    default:
      return functionStep(OPERATIONS[operator.op], input, output);
  }
}

export function stepOfFunction(operator: FunctionOperator, input: Value, output: Value): KernelStep {
  if (input.kind === "f32" && output.kind === "f32") return floatStep(operator, input, output);
  if (input.kind !== "u8" || output.kind !== "u8") return refuse(operator, "mixes floats and integers");
  return lookUp(input, output, byteFunction(operator, input, output));
}
