/** How a tensor of the graph stands in the plan's memory: as floats, or as bytes with a scale and a zero point. */
import type { Activation, Graph, Tensor } from "../../../tflite/graph.ts";
import { sizeOf } from "../../constants.ts";
import { quantizedRange } from "../../range.ts";
import type { Range } from "../layouts.ts";

/** Thrown if no kernel supports the graph. The executor then runs it; the file is not at fault. */
export class NoPlan extends Error {}

export interface FloatValue {
  readonly kind: "f32";
  readonly tensor: Tensor;
  readonly size: number;
  /** Whether it is kept as int16, in steps of INT16_STEP; see int16.ts. */
  readonly int16: boolean;
}

/** The step of int16 that keep 0..6: 13 bits. */
export const INT16_STEP = 6 / 8191;

/** int8 is stored as uint8 with 128 added, to value and zero point, so that there is one set of kernels. */
export interface ByteValue {
  readonly kind: "u8";
  readonly tensor: Tensor;
  readonly size: number;
  readonly scale: number;
  /** As stored. */
  readonly zero: number;
  /** Stored less this is what TFLite has. */
  readonly offset: number;
}

export type Value = FloatValue | ByteValue;

export function toValue(tensor: Tensor): Value {
  const size = sizeOf(tensor.shape);
  if (tensor.type === "float32" || tensor.type === "float16") return { kind: "f32", tensor, size, int16: false };
  const { quantization } = tensor;
  if ((tensor.type !== "uint8" && tensor.type !== "int8") || quantization?.scale.length !== 1) {
    throw new NoPlan(`tensor ${tensor.index} ("${tensor.name}") is ${tensor.type} and not of one scale`);
  }
  const offset = tensor.type === "int8" ? 128 : 0;
  return { kind: "u8", tensor, size, scale: quantization.scale[0], zero: quantization.zeroPoint[0] + offset, offset };
}

/** A tensor that the graph is known to have: assertSupported has seen it. */
export function tensorOf(graph: Graph, index: number | undefined): Tensor {
  const tensor = graph.tensors[index ?? -1];
  if (tensor === undefined) throw new Error(`tensor ${index} is missing`);
  return tensor;
}

/** Zero point and clamp of a quantised output, as stored. */
export function rangeOf(activation: Activation, output: ByteValue): Range {
  const { scale, zero, offset, tensor } = output;
  const { low, high } = quantizedRange(activation, scale, zero - offset, tensor.type);
  return { zero, low: zero + low, high: zero + high };
}

const CLAMPS: { readonly [name in Activation]?: readonly [low: number, high: number] } = {
  RELU: [0, Number.POSITIVE_INFINITY],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/** The clamp of a float output. */
export const clampOf = (activation: Activation): readonly [low: number, high: number] =>
  CLAMPS[activation] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

export const sameScale = (a: ByteValue, b: ByteValue): boolean =>
  a.scale === b.scale && a.zero - a.offset === b.zero - b.offset && a.offset === b.offset;
