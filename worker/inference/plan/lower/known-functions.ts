/**
 * What is known of tensors while a graph is lowered: which are functions of one other tensor, value by value. So that
 * x · logistic(x), which is two operators of the graph, becomes one step, and so does a chain of functions of bytes.
 */
import type { KernelStep } from "../step.ts";
import type { ByteValue } from "./value.ts";

/** A function of stored bytes. */
export type OfStored = (stored: number) => number;

/** A tensor whose stored bytes are a function of those of `source` at the same places. */
export interface FunctionOfBytes {
  readonly source: ByteValue;
  readonly of: OfStored;
}

/** Tensors go by the index of the one in whose memory they lie: see Builder.root(). */
export class KnownFunctions {
  readonly #bytes = new Map<number, FunctionOfBytes>();
  readonly #steps = new Map<number, KernelStep>();

  /** Says what the bytes of a tensor are a function of. */
  addBytes(tensor: number, known: FunctionOfBytes): void {
    this.#bytes.set(tensor, known);
  }

  bytes(tensor: number): FunctionOfBytes | undefined {
    return this.#bytes.get(tensor);
  }

  /** Says which step computes a float tensor value by value from one other. */
  addStep(tensor: number, step: KernelStep): void {
    this.#steps.set(tensor, step);
  }

  step(tensor: number): KernelStep | undefined {
    return this.#steps.get(tensor);
  }
}
