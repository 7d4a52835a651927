/**
 * All operators, by their names in BuiltinOperator of TensorFlow Lite's schema.fbs. All code that needs properties of
 * an operator looks them up here; definition.ts explains the fields of a definition.
 */
import { type Graph, readTflite } from "../../tflite/graph.ts";
import type { Operator } from "../../tflite/operators.ts";
import { CONVOLUTIONS } from "./convolution.ts";
import type { ComputedOperator, OperatorDefinition } from "./definition.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { MOVES } from "./move.ts";
import { POOL } from "./pool.ts";
import { QUANTIZATION } from "./quantize.ts";
import { REDUCE } from "./reduce.ts";
import { RESHAPES } from "./reshape.ts";
import { SHAPES } from "./shape.ts";
import { SLICES } from "./slice.ts";
import { SOFTMAXES } from "./softmax.ts";
import { UNARY } from "./unary.ts";

/** All definitions, in the order in which docs/reference/models.md lists them. */
export const OPERATORS = {
  ...CONVOLUTIONS,
  ...POOL,
  ...REDUCE,
  ...ELEMENTWISE,
  ...UNARY,
  ...SOFTMAXES,
  ...MOVES,
  ...SLICES,
  ...RESHAPES,
  ...QUANTIZATION,
  ...SHAPES,
};

type Operators = typeof OPERATORS;

/** The operators that a graph may have once it is read, each with its options. */
export type KnownOperator = {
  [Name in keyof Operators]: Operators[Name] extends ComputedOperator<infer Options>
    ? Operator<Options> & { readonly op: Name }
    : never;
}[keyof Operators];

const DEFINITIONS: ReadonlyMap<string, OperatorDefinition> = new Map(Object.entries(OPERATORS));

/** The definition of an operator that is computed when a graph runs; undefined for any other operator. */
export function definitionOf({ op }: Pick<Operator, "op">): ComputedOperator<unknown> | undefined {
  const definition = DEFINITIONS.get(op);
  return definition?.kind === "computed" ? definition : undefined;
}

/** An operator with its options typed; undefined if it is not defined. */
export const known = (operator: Operator): KnownOperator | undefined =>
  definitionOf(operator) && (operator as KnownOperator);

/**
 * Reads the graph of a .tflite file with the options of all operators that are defined here; see readTflite().
 *
 * @throws LabelerError of kind model-unusable if the file is damaged. An unknown operator is not an error yet.
 */
export const readGraph = (file: Uint8Array): Graph => readTflite(file, DEFINITIONS);
