/** Steps for the operators without weights that do not move values only. */
import type { KnownOperator, Of } from "../../tflite/graph.ts";
import { fixedPoint, multiplyFixed } from "../fixed-point.ts";
import { isFunction } from "../functions.ts";
import type { Builder } from "./builder.ts";
import { mustHold } from "./fit.ts";
import { stepOfFunction } from "./functions.ts";
import { convert, lookUp, refuse } from "./parts.ts";
import { reductionStep, windowStep } from "./pool.ts";
import { softmaxStep } from "./softmax.ts";
import type { KernelStep, Step } from "./step.ts";
import { type ByteValue, rangeOf, type Value } from "./value.ts";

/** Integers at one scale → integers at another. */
function rescale(input: ByteValue, output: ByteValue): KernelStep {
  const multiplier = fixedPoint(input.scale / output.scale);
  const { zero, low, high } = rangeOf("NONE", output);
  return lookUp(input, output, (q) => Math.min(high, Math.max(low, multiplyFixed(q - input.zero, multiplier) + zero)));
}

function quantizeStep(operator: Of<"QUANTIZE">, input: Value, output: Value): KernelStep {
  if (output.kind !== "u8") return refuse(operator, "has a float output");
  if (input.kind === "u8") return rescale(input, output);
  const how = { scale: 1 / output.scale, zero: output.zero, limits: [0, 255] };
  return convert("quantize_u8", [input, output], how);
}

/** @throws NoPlan if no kernel does what this operator asks for. */
export function otherStep(builder: Builder, operator: KnownOperator): Step {
  const input = builder.input(operator, 0);
  const output = builder.output(operator);
  switch (operator.op) {
    case "AVERAGE_POOL_2D":
    case "MAX_POOL_2D":
      return windowStep(operator, input, output);
    case "MEAN":
    case "SUM":
    case "REDUCE_MAX":
      return reductionStep(builder, operator, input, output);
    default:
  }
  // What is left has as many values in its output as in its input.
  mustHold(operator, output.tensor.shape, input.size);
  if (isFunction(operator)) return stepOfFunction(operator, input, output);
  switch (operator.op) {
    case "SOFTMAX":
    case "LOG_SOFTMAX":
      return softmaxStep(operator, input, output);
    case "QUANTIZE":
      return quantizeStep(operator, input, output);
    case "DEQUANTIZE":
      if (input.kind !== "u8" || output.kind !== "f32") return refuse(operator, "is of kinds that no kernel takes");
      return convert("dequantize_u8", [input, output], { scale: input.scale, zero: input.zero });
    default:
      return refuse(operator, "has no kernel");
  }
}
