/** Steps for functions of one value each. */
import type { Operator } from "../../../tflite/graph.ts";
import { UnaryOperation } from "../layouts.ts";
import { at, type KernelStep } from "../step.ts";
import type { Builder } from "./builder.ts";
import { mustHold } from "./fit.ts";
import { limits } from "./parts.ts";
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

/** Functions that have a kernel for x · f(x) as well. */
const TIMES_ITSELF: { readonly [operation in UnaryOperation]?: UnaryOperation } = {
  [UnaryOperation.logistic]: UnaryOperation.swish,
};

/** The step of a product of floats x · f(x); undefined if it is another one, or has no kernel. */
export function timesItself(
  builder: Builder,
  operator: Operator,
  operands: readonly [Value, Value],
  output: Value,
): KernelStep | undefined {
  const { low, high } = limits(operator, output);
  if (Number.isFinite(low) || Number.isFinite(high)) return undefined;
  const roots = operands.map(({ tensor }) => builder.root(tensor.index));
  for (const [x, root] of [
    [operands[0], roots[1]],
    [operands[1], roots[0]],
  ] as const) {
    const step = builder.functions.step(root);
    if (step?.kernel !== "f32_vunary" || x.size !== output.size) continue;
    const { input, operation } = step.parameters;
    const isOfX =
      typeof input === "object" && "tensor" in input && builder.root(input.tensor) === builder.root(x.tensor.index);
    const product = TIMES_ITSELF[operation as UnaryOperation];
    if (isOfX && product !== undefined && step.parameters.size === x.size) return functionStep(product, x, output);
  }
  return undefined;
}
