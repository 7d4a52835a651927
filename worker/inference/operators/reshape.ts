/** Operators that change the shape of values. */
import { sizeOf } from "../constants.ts";
import { refuse } from "../plan/lower/parts.ts";
import { NoPlan } from "../plan/lower/value.ts";
import { ALL_TYPES, computed, type RewrittenOperator } from "./definition.ts";
import { foldSame } from "./fold.ts";

/** The output's shape decides, whatever other inputs and options state. */
const reshaping = (computes: string) =>
  computed({
    computes,
    fold: foldSame,
    quantised: "moves",
    passesOn: true,
    check(_, { inputs: [input], output }) {
      const [from, to] = [input?.shape ?? [], output.shape];
      return sizeOf(from) === sizeOf(to) ? undefined : `turns shape [${from}] into [${to}], which has another size`;
    },
    reference(_, context) {
      const { tf } = context;
      const shape = [...context.outputShape];
      return ([x]) => tf.reshape(x, shape);
    },
    lower(builder, operator) {
      const [from, to] = [builder.input(operator, 0), builder.output(operator)];
      if (from.kind !== to.kind || from.size !== to.size) throw new NoPlan(`operator ${operator.index} changes kinds`);
      if (from.kind === "f32" || to.kind === "f32" || (from.zero === to.zero && from.scale === to.scale)) {
        builder.alias(operator.outputs[0], operator.inputs[0]);
        return [];
      }
      return refuse(operator, "has no kernel");
    },
  });

export const RESHAPES = {
  RESHAPE: reshaping("x in another shape"),
  SQUEEZE: reshaping("x without dimensions of length 1"),
  EXPAND_DIMS: {
    kind: "rewritten",
    computes: "x with another dimension of length 1",
    types: ALL_TYPES,
    fold: foldSame,
    rewrite: (operator) => [{ ...operator, op: "RESHAPE", inputs: [operator.inputs[0]] }],
  } satisfies RewrittenOperator,
};
