/**
 * An operator as a file has it, and what its reader is told of each: the half of an operator's definition that belongs to
 * the file format. The definitions themselves are passed in, since they also say how an operator is computed.
 */
import type { Table } from "./flatbuffers.ts";

interface Wiring {
  /** Its name in BuiltinOperator, behind which a custom operator's own name follows. */
  readonly op: string;
  /** Indices of tensors; −1 stands for an optional input that is absent. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** An operator whose options are not read yet. */
export interface RawOperator extends Wiring {
  readonly options: Table;
}

export interface Operator<Options = unknown> extends Wiring {
  /** Its number in the file; the graph may be without some of those before it. */
  readonly index: number;
  /** As its format has read them; undefined if it has none, or is not known. */
  readonly options: Options;
}

/** The integers of a scalar or a vector. */
export type Values = readonly number[];

/** What is known of an operator's input before the graph runs. */
export interface FoldInput {
  readonly shape: readonly number[] | undefined;
  /** The values of a small integer constant, or of integers computed from such constants. */
  readonly values: Values | undefined;
}

/** Computes the integers of an output, undefined where they cannot be known. */
export type Fold = (inputs: readonly FoldInput[], options: Table) => readonly (number | undefined)[] | undefined;

/** Adds a constant, a vector of int32. @returns Its index. */
type AddConstant = (values: readonly number[]) => number;

interface ShapedConstant {
  readonly shape: readonly number[];
  readonly data: Uint8Array | undefined;
}

/** Writes an operator as others. @returns Undefined if it stays as it is. */
export type Rewrite = (
  operator: RawOperator,
  tensors: readonly ShapedConstant[],
  add: AddConstant,
) => readonly RawOperator[] | undefined;

export interface OperatorFormat<Options = unknown> {
  /** Reads the operator's options; without it there are none. */
  readonly options?: ((table: Table) => Options) | undefined;
  /** Computes it before the graph runs, where it is arithmetic of shapes. */
  readonly fold?: Fold | undefined;
  /** Writes it as others, of which it is a special case. */
  readonly rewrite?: Rewrite | undefined;
}

/** The formats by the operators' names in BuiltinOperator. */
export type OperatorFormats = ReadonlyMap<string, OperatorFormat>;
