/** Operators that pad values, or join them. */
import { type Activated, readActivation } from "../../tflite/options.ts";
import { pairsOf } from "../pairs.ts";
import { mirrorPadSteps } from "../plan/lower/copies.ts";
import { concatenationSteps, padSteps } from "../plan/lower/moves.ts";
import { computed } from "./definition.ts";
import { foldJoined } from "./fold.ts";

/** @param valueInput The input with the value of the padding; zeros if absent. */
const padded = (computes: string, inputs: number, valueInput?: number) =>
  computed({
    computes,
    inputs,
    quantised: "moves",
    reference(_, context) {
      const { tf } = context;
      const paddings = pairsOf(context.integers(1));
      const [value = 0] = valueInput === undefined ? [] : context.values(valueInput);
      return ([x]) => tf.pad(x, paddings, value);
    },
    lower: (builder, operator) => padSteps(builder, operator, valueInput),
  });

export const MOVES = {
  PAD: padded("x with zeros around it", 2),
  PADV2: padded("x with a value around it", 3, 2),
  MIRROR_PAD: computed<{ readonly withEdge: boolean }>({
    computes: "x with its own values around it, mirrored",
    /** Whether the edge itself is mirrored, too. */
    options: (table) => ({ withEdge: table.int8(0) === 1 }),
    inputs: 2,
    quantised: "moves",
    reference({ options: { withEdge } }, context) {
      const { tf } = context;
      const paddings = pairsOf(context.integers(1));
      return ([x]) => tf.mirrorPad(x, paddings, withEdge ? "symmetric" : "reflect");
    },
    lower: mirrorPadSteps,
  }),
  CONCATENATION: computed<Activated & { readonly axis: number }>({
    computes: "its inputs, one behind the other along a dimension",
    endsBlock: true,
    options: (table) => ({ axis: table.int32(0), activation: readActivation(table, 1) }),
    fold: foldJoined,
    values: "all",
    quantised: "moves",
    reference({ options: { axis } }, context) {
      const { tf } = context;
      const operands = context.operands();
      return (changing) => tf.concat(operands(changing), axis);
    },
    lower: concatenationSteps,
  }),
};
