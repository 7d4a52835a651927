/**
 * The definition of an operator: how its options are read, which types it takes, its reference implementation on tfjs,
 * and its lowering to steps of a plan. tfjs is passed to the reference implementations and not imported at run time:
 * the command line, which does not have it, judges models by the same definitions.
 */
import type { Tensor } from "../../tflite/graph.ts";
import type { Operator, OperatorFormat } from "../../tflite/operators.ts";
import type { Compute, OperatorContext } from "../context.ts";
import type { Builder } from "../plan/lower/builder.ts";
import type { Step } from "../plan/step.ts";

/** The types of outputs. */
export type ValueType = "float32" | "uint8" | "int8";

export const ALL_TYPES: readonly ValueType[] = ["float32", "uint8", "int8"];

/** An operator's tensors; an absent optional input is undefined. */
export interface OperatorTensors {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly output: Tensor;
}

/** How the reference implementation computes an operator whose quantised values have one scale. */
export type QuantisedReference =
  /** Values are chosen or moved: the integers stay the same. */
  | "moves"
  /** Integers are averaged and rounded. */
  | "averages"
  /** Values are computed as real numbers and quantised again. */
  | "real";

/** An operator that is computed when the graph runs. */
export interface ComputedOperator<Options = undefined> extends Omit<OperatorFormat<Options>, "rewrite"> {
  readonly kind: "computed";
  /** A short description of its result, for docs/reference/models.md. */
  readonly computes: string;
  /** The number of required inputs, not counting optional ones after them. */
  readonly inputs: number;
  /** The output types for which TensorFlow Lite has a reliable kernel. */
  readonly types: readonly ValueType[];
  /** Which inputs are values of the same kind as the output, rather than parameters. */
  readonly values: "first" | "all";
  /** Whether TensorFlow Lite computes on the stored integers, which is only meaningful if all have one scale. */
  readonly onOneScale: boolean;
  readonly quantised: QuantisedReference;
  /** Whether its second input contains weights that multiply the first, in integers if both are quantised. */
  readonly weighted: boolean;
  /** Whether its output has its input's values in the same order, perhaps in another shape or type. */
  readonly passesOn: boolean;
  /** Whether it mixes channels or joins paths, as the last operators of a network's blocks do: see taps.ts. */
  readonly endsBlock: boolean;
  /** Whether its output is probabilities: of classes of which one is right, or of each class by itself. */
  readonly givesProbabilities: "of-one-class" | "of-each-class" | undefined;
  /** Whether the reference implementation applies the fused activation itself; else it is applied to its output. */
  readonly fusesActivation: boolean;
  /** Whether it only unpacks its input, so that the output of a constant is a constant. */
  readonly unpacks: boolean;

  /** @returns Why an operator that otherwise matches its definition cannot be run; undefined if it can. */
  check?(operator: Operator<Options>, tensors: OperatorTensors): string | undefined;

  /** Reads the constants from the graph and returns a function of the other tensors, on tfjs. */
  reference(operator: Operator<Options>, context: OperatorContext): Compute;

  /**
   * The steps of a plan that compute it; an empty list if the output is the input in memory.
   *
   * @throws NoPlan with the reason if no kernel supports it.
   */
  lower(builder: Builder, operator: Operator<Options>): readonly Step[];
}

/** An operator that is rewritten as other operators when the file is read. */
export interface RewrittenOperator extends OperatorFormat<undefined> {
  readonly kind: "rewritten";
  readonly computes: string;
  readonly types: readonly ValueType[];
  readonly rewrite: NonNullable<OperatorFormat["rewrite"]>;
}

/** An operator that is only supported in the arithmetic of shapes, which is evaluated before the graph runs. */
export interface FoldedOperator extends OperatorFormat<undefined> {
  readonly kind: "folded";
  readonly fold: NonNullable<OperatorFormat["fold"]>;
}

// biome-ignore lint/suspicious/noExplicitAny: options are of as many types as there are operators
export type OperatorDefinition = ComputedOperator<any> | RewrittenOperator | FoldedOperator;

/** The defaults of a definition. */
const USUAL = {
  kind: "computed",
  inputs: 1,
  types: ALL_TYPES,
  values: "first",
  onOneScale: false,
  quantised: "real",
  weighted: false,
  passesOn: false,
  endsBlock: false,
  givesProbabilities: undefined,
  fusesActivation: false,
  unpacks: false,
} as const satisfies Partial<ComputedOperator>;
type Usual = keyof typeof USUAL;

/** The definition of an operator that is computed when the graph runs. */
export const computed = <Options = undefined>(
  given: Omit<ComputedOperator<Options>, Usual> & Partial<Pick<ComputedOperator<Options>, Usual>>,
): ComputedOperator<Options> => ({ ...USUAL, ...given });
