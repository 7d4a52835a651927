/**
 * Options that several operators have in common, with their readers. Field numbers are those of
 * tensorflow/compiler/mlir/lite/schema/schema.fbs; options of a single operator are read by its definition.
 */
import type { Table } from "./flatbuffers.ts";

const ACTIVATIONS = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface Activated {
  /** What is applied to the output. */
  readonly activation: Activation;
}

export interface Window2d extends Activated {
  readonly padding: "same" | "valid";
  /** [vertical, horizontal], in pixels. */
  readonly stride: readonly [number, number];
}

export interface ConvOptions extends Window2d {
  /** [vertical, horizontal], in pixels. */
  readonly dilation: readonly [number, number];
  /** Whether it is a part of a grouped convolution, which TFLite computes with its reference kernels. */
  readonly grouped?: boolean;
}

export interface PoolOptions extends Window2d {
  /** [height, width], in pixels. */
  readonly size: readonly [number, number];
}

export interface ReductionOptions {
  /** Whether the dimensions that are reduced stay, with a length of 1. */
  readonly keepDims: boolean;
}

/** @throws RangeError if the file names an activation that does not exist. */
export function readActivation(options: Table, field: number): Activation {
  const found = ACTIVATIONS[options.int8(field)];
  if (found === undefined) throw new RangeError(`activation ${options.int8(field)} does not exist`);
  return found;
}

/** Options that begin with the fused activation. */
export const readActivated = (options: Table): Activated => ({ activation: readActivation(options, 0) });

/** Options that begin with padding and strides. */
export const readWindow = (options: Table, activationField: number): Window2d => ({
  padding: options.int8(0) === 0 ? "same" : "valid",
  stride: [options.int32(2), options.int32(1)],
  activation: readActivation(options, activationField),
});

/** The fused activation of any operator. */
export const activationOf = ({ options }: { readonly options: unknown }): Activation =>
  typeof options === "object" && options !== null && "activation" in options
    ? (options as Activated).activation
    : "NONE";
