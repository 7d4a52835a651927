/** Steps for functions of one value each. */
import type { Operator } from "../../../tflite/graph.ts";
import type { UnaryOperation } from "../layouts.ts";
import { at, type KernelStep } from "../step.ts";
import type { Builder } from "./builder.ts";
import { mustHold } from "./fit.ts";
import type { Value } from "./value.ts";

/** Input and output of an operator that has as many values in one as in the other. @throws NoPlan */
export function endsOf(builder: Builder, operator: Operator): readonly [input: Value, output: Value] {
  const input = builder.input(operator, 0);
  const output = builder.output(operator);
  mustHold(operator, output.tensor.shape, input.size);
  return [input, output];
}

export const functionStep = (operation: UnaryOperation, input: Value, output: Value, parameter = 0): KernelStep => ({
  kernel: "f32_vunary",
  parameters: {
    input: at(input.tensor.index),
    output: at(output.tensor.index),
    size: output.size,
    operation,
    parameter,
  },
});
