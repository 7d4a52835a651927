/** What compiling an operator needs of its graph, and the constants that this leaves in tfjs' memory. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Graph, Tensor } from "../tflite/graph.ts";
import { integers, quantizedValues, realValues } from "./constants.ts";
import * as tf from "./tfjs.bundle.js";

/**
 * Computes an operator's output from its inputs that are not constants, in their order. Call it within tf.tidy.
 * All tensors are float32 to tfjs. One that is quantised in the graph holds its integers less the zero point, so that
 * sums of products are exact as long as they stay below 2^24.
 */
export type Step = (inputs: readonly TfTensor[]) => TfTensor;

export class OpContext {
  #graph: Graph | undefined;
  /** Constants that other operators make: weights behind a DEQUANTIZE. By tensor index. */
  readonly folded = new Map<number, Float32Array>();
  /** Every constant that lives in tfjs' memory on behalf of the compiled steps. */
  readonly kept: TfTensor[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get graph(): Graph {
    if (this.#graph === undefined) throw new Error("the graph was compiled already");
    return this.#graph;
  }

  /** Lets go of the file's bytes: the steps, whose closures can see this object, would keep them in memory. */
  forgetGraph(): void {
    this.#graph = undefined;
    this.folded.clear();
  }

  isConstant(index: number): boolean {
    return this.folded.has(index) || this.graph.tensors[index]?.data !== undefined;
  }

  /** The values of a constant: real numbers, or for integer arithmetic the integers less their zero point. */
  values(tensor: Tensor, arithmetic: "real" | "integer"): Float32Array {
    if (arithmetic === "integer") return quantizedValues(tensor);
    return this.folded.get(tensor.index) ?? realValues(tensor);
  }

  /** The numbers of a constant that is no weight: axes, paddings. */
  integers(tensor: Tensor): number[] {
    return integers(tensor);
  }

  /** Puts a constant into tfjs' memory until the executor is disposed of. */
  keep<T extends TfTensor>(values: Float32Array, shape: readonly number[]): T {
    const tensor = tf.keep(tf.tensor(values, [...shape], "float32"));
    this.kept.push(tensor);
    return tensor as T;
  }
}
