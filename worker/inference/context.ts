/** What a reference implementation needs of its graph, and the constants that this leaves in tfjs' memory. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";
import type { Activate } from "./activation.ts";
import { integers, quantizedValues, realValues } from "./constants.ts";
import { mapValues } from "./map-values.ts";
import { tensorAt } from "./tensor-at.ts";
import * as tf from "./tfjs.bundle.js";

/**
 * Computes an operator's output from its inputs that are not constants, in their order. Call it within tf.tidy.
 * All tensors are float32 to tfjs. One that is quantised in the graph holds its integers less the zero point, so that
 * sums of products are exact as long as they stay below 2^24.
 */
export type Compute = (inputs: readonly TfTensor[]) => TfTensor;

/** Real numbers, or the integers of quantised values less their zero point. */
export type Arithmetic = "real" | "integer";

/** What reference implementations are made of: the ops of tfjs, and a function of each value. */
const REFERENCE_OPS = { ...tf, mapValues };
export type ReferenceOps = typeof REFERENCE_OPS;

export class GraphContext {
  #graph: Graph | undefined;
  /** Constants that other operators make: weights behind a DEQUANTIZE. By tensor index. */
  readonly folded = new Map<number, Float32Array>();
  /** Every constant that lives in tfjs' memory on behalf of the compiled operators. */
  readonly kept: TfTensor[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get graph(): Graph {
    if (this.#graph === undefined) throw new Error("the graph was compiled already");
    return this.#graph;
  }

  /** Lets go of the file's bytes: the closures that compute, which can see this object, would keep them in memory. */
  forgetGraph(): void {
    this.#graph = undefined;
    this.folded.clear();
  }

  isConstant(index: number): boolean {
    return this.folded.has(index) || this.graph.tensors[index]?.data !== undefined;
  }

  /** The values of a constant. */
  values(tensor: Tensor, arithmetic: Arithmetic): Float32Array {
    if (arithmetic === "integer") return quantizedValues(tensor);
    return this.folded.get(tensor.index) ?? realValues(tensor);
  }

  /** Puts a constant into tfjs' memory until the executor is disposed of. */
  keep<T extends TfTensor>(values: Float32Array, shape: readonly number[]): T {
    const tensor = tf.keep(tf.tensor(values, [...shape], "float32"));
    this.kept.push(tensor);
    return tensor as T;
  }
}

/**
 * One operator of the graph, by the positions of its inputs. A closure that computes may see this object, but no tensor of
 * the graph: what it can see stays in memory, and a tensor has the bytes of its file.
 */
export class OperatorContext {
  readonly tf: ReferenceOps = REFERENCE_OPS;
  readonly arithmetic: Arithmetic;
  /** What a definition applies that fuses its activation. */
  readonly activation: Activate;
  readonly #context: GraphContext;
  readonly #operator: Operator;

  constructor(context: GraphContext, operator: Operator, arithmetic: Arithmetic, activation: Activate) {
    this.#context = context;
    this.#operator = operator;
    this.arithmetic = arithmetic;
    this.activation = activation;
  }

  #tensor(position: number): Tensor {
    return tensorAt(this.#context.graph, this.#operator, this.#operator.inputs[position]);
  }

  /** Whether an optional input is there. */
  has(position: number): boolean {
    return (this.#operator.inputs[position] ?? -1) !== -1;
  }

  shape(position: number): readonly number[] {
    return this.#tensor(position).shape;
  }

  get outputShape(): readonly number[] {
    return tensorAt(this.#context.graph, this.#operator, this.#operator.outputs[0]).shape;
  }

  /** The values of a constant. */
  values(position: number): Float32Array {
    return this.#context.values(this.#tensor(position), this.arithmetic);
  }

  /** The numbers of a constant that is no weight: axes, paddings. */
  integers(position: number): number[] {
    return integers(this.#tensor(position));
  }

  /** Puts a constant into tfjs' memory until the executor is disposed of. */
  keep<T extends TfTensor>(values: Float32Array, shape: readonly number[]): T {
    return this.#context.keep(values, shape);
  }

  /** All inputs in their order: constants from tfjs' memory, the others as they come. */
  operands(): (changing: readonly TfTensor[]) => TfTensor[] {
    const constants = this.#operator.inputs.map((index, position) => {
      if (!this.#context.isConstant(index)) return undefined;
      return this.keep(this.values(position), this.shape(position));
    });
    return (changing) => {
      let next = 0;
      return constants.map((constant) => constant ?? changing[next++]);
    };
  }
}
