/** What making a step needs to know of its graph: values, folded constants, paddings that a convolution takes over. */
import type { Graph, Operator, Tensor } from "../../../tflite/graph.ts";
import { bytesOf, realValues } from "../../constants.ts";
import type { Source } from "../pack/panels.ts";
import { align, type Place, SLACK, scratchAt } from "../step.ts";
import { int16Tensors } from "./int16.ts";
import { KnownFunctions } from "./known-functions.ts";
import { NoPlan, tensorOf, toValue, type Value } from "./value.ts";

/**
 * How float convolutions are computed: "exact" in floats, "fast" in 16-bit integers. Quantised operators are computed in
 * TFLite's integers at any precision; "quantised" asks for a graph that has no others.
 */
export type PlanPrecision = "exact" | "fast" | "quantised";

/** Parts of the scratch memory, one after the other. */
export function scratchLayout(sizes: readonly number[]): { bytes: number; places: Place[] } {
  let bytes = 0;
  const places = sizes.map((size) => {
    const start = bytes;
    bytes += align(size + SLACK);
    return scratchAt(start);
  });
  return { bytes, places };
}

/** @returns How many overflow weights each panel of qu8_gemm_3x8c4_usdot2.c has; undefined if another kernel is better. */
export type CountOverflow = (
  source: Source,
  matrix: { readonly outChannels: number; readonly reduction: number; readonly zero: number },
) => readonly number[] | undefined;

/** Which matrix products of a fast plan go by Strassen's multiplication: all that can, those that gain by it, or none. */
export type UseOfStrassen = "always" | "pays" | "never";

/** What a CPU's relaxed dot product of four bytes takes activations as; see qu8_gemm_4x12c4_usdot.c. */
export type ByteDot = "unsigned" | "signed";

/** What the relaxed dot products of bytes can be used for on this CPU, and Strassen's multiplication. */
export interface Capabilities {
  /** What the exact product of four bytes takes; false if it is not exact. */
  readonly dot: ByteDot | false;
  /** Absent where that of two is not exact either, as long as their sum fits 16 bits. */
  readonly countOverflow?: CountOverflow | undefined;
  readonly strassen?: UseOfStrassen | undefined;
  /** Whether 16-bit products are faster with the sums of even and of odd depth apart; see tile_4x8c2_dot16x2.h. */
  readonly apart?: boolean | undefined;
}

export class Builder {
  readonly graph: Graph;
  readonly precision: PlanPrecision;
  /** What the relaxed dot product of four bytes takes here; false if it is not exact. */
  readonly dot: ByteDot | false;
  /** Whether that of pairs of bytes is worth it for a matrix. */
  readonly countOverflow: CountOverflow;
  readonly strassen: UseOfStrassen;
  /** Whether the sums of 16-bit products are kept apart. */
  readonly apart: boolean;
  /** Which tensors are functions of one other. */
  readonly functions = new KnownFunctions();
  readonly #int16: ReadonlySet<number>;
  readonly #folded = new Map<number, Tensor>();
  readonly #aliases = new Map<number, number>();
  readonly #paddings = new Map<
    number,
    { readonly source: number; readonly before: readonly [top: number, left: number] }
  >();

  constructor(graph: Graph, precision: PlanPrecision, { dot, countOverflow, strassen, apart }: Capabilities) {
    this.graph = graph;
    this.precision = precision;
    this.dot = dot;
    this.countOverflow = countOverflow ?? (() => undefined);
    this.strassen = strassen ?? "pays";
    this.apart = apart ?? false;
    this.#int16 = precision === "fast" ? int16Tensors(graph) : new Set();
  }

  /** Says that `tensor` is the constant `source`, dequantised. */
  fold(tensor: number, source: Tensor): void {
    this.#folded.set(tensor, source);
  }

  /** Says that `tensor` lies where `source` lies. */
  alias(tensor: number, source: number): void {
    this.#aliases.set(tensor, this.root(source));
  }

  /** Says that `tensor` is `source` with padding that the operator which reads it has to think up. */
  pad(tensor: number, source: number, before: readonly [top: number, left: number]): void {
    this.alias(tensor, source);
    this.#paddings.set(tensor, { source, before });
  }

  /** The tensor in whose memory this one lies. */
  root(tensor: number): number {
    return this.#aliases.get(tensor) ?? tensor;
  }

  padding(tensor: number): readonly [top: number, left: number] | undefined {
    return this.#paddings.get(tensor)?.before;
  }

  isConstant(index: number): boolean {
    return this.#folded.has(index) || this.graph.tensors[index]?.data !== undefined;
  }

  /** The real values of a constant, read when they are asked for. */
  real(tensor: Tensor): () => Float32Array {
    if (!this.isConstant(tensor.index)) throw new NoPlan(`tensor ${tensor.index} ("${tensor.name}") is not a constant`);
    const source = this.#folded.get(tensor.index) ?? tensor;
    return () => realValues(source);
  }

  /** The same, as the file has them if those are floats of any kind. */
  source(tensor: Tensor): () => Source {
    const real = this.real(tensor);
    const { type } = this.#folded.get(tensor.index) ?? tensor;
    return () => {
      if (type !== "float32" && type !== "float16") return { bytes: new Uint8Array(real().buffer), type: "float32" };
      const { view } = bytesOf(this.#folded.get(tensor.index) ?? tensor);
      return { bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength), type };
    };
  }

  /** An input that is computed. Behind a padding it has the shape without the padding. */
  input(operator: Operator, position: number): Value {
    const tensor = tensorOf(this.graph, operator.inputs[position]);
    if (this.isConstant(tensor.index)) {
      throw new NoPlan(`operator ${operator.index} (${operator.op}) has a constant where it should have an input`);
    }
    return this.value(this.#paddings.get(tensor.index)?.source ?? tensor.index);
  }

  /** A tensor that may be computed or constant. */
  value(index: number): Value {
    const value = toValue(tensorOf(this.graph, index));
    return value.kind === "f32" ? { ...value, int16: this.#int16.has(index) } : value;
  }

  output(operator: Operator): Value {
    return this.value(operator.outputs[0]);
  }

  /** The bytes of a tensor where it lies. */
  bytesOf(tensor: number): number {
    const value = this.value(tensor);
    return value.size * (value.kind === "u8" ? 1 : value.int16 ? 2 : 4);
  }
}
