/**
 * What is known of an operator, in one place: how its options are read, which types it takes, its reference implementation
 * on tfjs, its lowering to steps of a plan. Imports no tfjs at run time, which is passed to the reference implementations:
 * the command line, which has none, judges models by the same definitions.
 */
import type { Tensor } from "../../tflite/graph.ts";
import type { Operator, OperatorFormat } from "../../tflite/operators.ts";
import type { Compute, OperatorContext } from "../context.ts";
import type { Builder } from "../plan/lower/builder.ts";
import type { Step } from "../plan/step.ts";

/** The types of outputs. */
export type ValueType = "float32" | "uint8" | "int8";

export const ALL_TYPES: readonly ValueType[] = ["float32", "uint8", "int8"];

/** An operator's tensors; an optional input that is absent is undefined. */
export interface OperatorTensors {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly output: Tensor;
}

/** How the reference implementation computes an operator whose values are quantised, at one scale. */
export type QuantisedReference =
  /** Values are chosen or moved: integers go in, and the same integers come out. */
  | "moves"
  /** Averages of the integers, which are rounded. */
  | "averages"
  /** As real numbers, which are quantised again. */
  | "real";

/** An operator that is computed when the graph runs. */
export interface ComputedOperator<Options = undefined> extends Omit<OperatorFormat<Options>, "rewrite"> {
  readonly kind: "computed";
  /** What it computes, in a few words, for docs/reference/models.md. */
  readonly computes: string;
  /** The number of inputs that it must have, without optional ones behind them. */
  readonly inputs: number;
  /** The types of output that TensorFlow Lite has a kernel to rely on for. */
  readonly types: readonly ValueType[];
  /** Which inputs are values like the output's, and not parameters. */
  readonly values: "first" | "all";
  /** Whether TensorFlow Lite computes on the bytes as they are, which makes sense on one scale alone. */
  readonly onOneScale: boolean;
  readonly quantised: QuantisedReference;
  /** Whether its second input has weights that the first is multiplied by, in integers if both are quantised. */
  readonly weighted: boolean;
  /** Whether its output has its input's values in their order, perhaps in another shape or type. */
  readonly passesOn: boolean;
  /** Whether it mixes channels or joins paths, as the last operators of a network's blocks do: see taps.ts. */
  readonly endsBlock: boolean;
  readonly givesProbabilities: boolean;
  /** Whether the reference implementation applies the fused activation itself; else it is applied to what that gives. */
  readonly fusesActivation: boolean;
  /** Whether it only unpacks its input, which makes a constant of a constant. */
  readonly unpacks: boolean;

  /** @returns Why an operator cannot be run that is as its definition says in everything else; undefined if it can. */
  check?(operator: Operator<Options>, tensors: OperatorTensors): string | undefined;

  /** Takes the constants out of the graph and gives a function of the tensors that change, on tfjs. */
  reference(operator: Operator<Options>, context: OperatorContext): Compute;

  /**
   * The steps of a plan that compute it; none where the output is the input in memory.
   *
   * @throws NoPlan with the reason where no kernel takes it.
   */
  lower(builder: Builder, operator: Operator<Options>): readonly Step[];
}

/** An operator that is written as others when the file is read. */
export interface RewrittenOperator extends OperatorFormat<undefined> {
  readonly kind: "rewritten";
  readonly computes: string;
  readonly types: readonly ValueType[];
  readonly rewrite: NonNullable<OperatorFormat["rewrite"]>;
}

/** An operator that is known in the arithmetic of shapes alone, before the graph runs. */
export interface FoldedOperator extends OperatorFormat<undefined> {
  readonly kind: "folded";
  readonly fold: NonNullable<OperatorFormat["fold"]>;
}

// biome-ignore lint/suspicious/noExplicitAny: options are of as many types as there are operators
export type OperatorDefinition = ComputedOperator<any> | RewrittenOperator | FoldedOperator;

/** What need not be stated. */
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
  givesProbabilities: false,
  fusesActivation: false,
  unpacks: false,
} as const satisfies Partial<ComputedOperator>;
type Usual = keyof typeof USUAL;

/** The definition of an operator that is computed when the graph runs. */
export const computed = <Options = undefined>(
  given: Omit<ComputedOperator<Options>, Usual> & Partial<Pick<ComputedOperator<Options>, Usual>>,
): ComputedOperator<Options> => ({ ...USUAL, ...given });
