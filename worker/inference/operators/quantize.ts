/** Operators that convert between number types. */
import type { Operator } from "../../tflite/graph.ts";
import type { Compute, OperatorContext } from "../context.ts";
import { fixedPoint, multiplyFixed } from "../fixed-point.ts";
import type { Builder } from "../plan/lower/builder.ts";
import { functionOfByte } from "../plan/lower/compose.ts";
import { endsOf } from "../plan/lower/functions.ts";
import { convert, refuse } from "../plan/lower/parts.ts";
import { type ByteValue, rangeOf, tensorOf, type Value } from "../plan/lower/value.ts";
import type { KernelStep } from "../plan/step.ts";
import { computed } from "./definition.ts";

/** Rescales integers from one scale to another. */
function rescale(builder: Builder, input: ByteValue, output: ByteValue): KernelStep {
  const multiplier = fixedPoint(input.scale / output.scale);
  const { zero, low, high } = rangeOf("NONE", output);
  const of = (q: number) => Math.min(high, Math.max(low, multiplyFixed(q - input.zero, multiplier) + zero));
  return functionOfByte(builder, input, output, of);
}

function quantizeStep(builder: Builder, operator: Operator, input: Value, output: Value): KernelStep {
  if (output.kind !== "u8") return refuse(operator, "has a float output");
  if (input.kind === "u8") return rescale(builder, input, output);
  const how = { scale: 1 / output.scale, zero: output.zero, limits: [0, 255] };
  return convert("f32_qu8_vcvt", [input, output], how);
}

/**
 * The reference implementation leaves the values unchanged: the code around it quantises and dequantises. The reshape
 * makes a separate tensor over the same memory, since the executor frees the input.
 */
const sameValues = (_: Operator, { tf }: OperatorContext): Compute => {
  return ([x]) => tf.reshape(x, x.shape);
};

export const QUANTIZATION = {
  QUANTIZE: computed({
    computes: "the nearest quantised value; of quantised values that at another scale",
    types: ["uint8", "int8"],
    passesOn: true,
    reference: sameValues,
    lower(builder, operator) {
      const [from, to] = [builder.input(operator, 0), builder.output(operator)];
      // uint8 and int8 of the same scale are stored as the same byte here.
      if (from.kind === "u8" && to.kind === "u8" && from.scale === to.scale && from.zero === to.zero) {
        builder.alias(operator.outputs[0], operator.inputs[0]);
        return [];
      }
      return [quantizeStep(builder, operator, ...endsOf(builder, operator))];
    },
  }),
  DEQUANTIZE: computed({
    computes: "the real value of a quantised or float16 one",
    types: ["float32"],
    passesOn: true,
    unpacks: true,
    reference: sameValues,
    lower(builder, operator) {
      const [source] = operator.inputs;
      if (builder.isConstant(source)) {
        builder.fold(operator.outputs[0], tensorOf(builder.graph, source));
        return [];
      }
      const [input, output] = endsOf(builder, operator);
      if (input.kind !== "u8" || output.kind !== "f32") return refuse(operator, "is of kinds that no kernel takes");
      return [convert("qu8_f32_vcvt", [input, output], { scale: input.scale, zero: input.zero })];
    },
  }),
};
