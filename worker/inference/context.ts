/** The graph as reference implementations see it, and the constants that they keep in tfjs' memory. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Graph, Operator, Tensor } from "../tflite/graph.ts";
import type { Activate } from "./activation.ts";
import { integers, quantizedValues, realValues } from "./constants.ts";
import { mapValues } from "./map-values.ts";
import { tensorAt } from "./tensor-at.ts";
import * as tf from "./tfjs.bundle.js";

/**
 * Computes an operator's output from its non-constant inputs, in their order. Call it within tf.tidy. All tensors are
 * float32 in tfjs. A tensor that is quantised in the graph holds its integers less the zero point, so that sums of
 * products are exact as long as they stay below 2^24.
 */
export type Compute = (inputs: readonly TfTensor[]) => TfTensor;

/** Real numbers, or the integers of quantised values less their zero point. */
export type Arithmetic = "real" | "integer";

/** The functions for reference implementations: the ops of tfjs, and mapValues. */
const REFERENCE_OPS = { ...tf, mapValues };
export type ReferenceOps = typeof REFERENCE_OPS;

export class GraphContext {
  #graph: Graph | undefined;
  /** By tensor index: constants that other operators compute, such as weights behind a DEQUANTIZE. */
  readonly folded = new Map<number, Float32Array>();
  /** All constants in tfjs' memory that belong to the compiled operators. */
  readonly kept: TfTensor[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get graph(): Graph {
    if (this.#graph === undefined) throw new Error("the graph was compiled already");
    return this.#graph;
  }

  /** Drops the file's bytes: otherwise the compiled closures, which can see this object, would keep them in memory. */
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

  /** Copies a constant into tfjs' memory, where it stays until the executor is disposed of. */
  keep<T extends TfTensor>(values: Float32Array, shape: readonly number[]): T {
    const tensor = tf.keep(tf.tensor(values, [...shape], "float32"));
    this.kept.push(tensor);
    return tensor as T;
  }
}

/**
 * One operator of the graph, with its tensors by the positions of its inputs. A compiled closure may see this object
 * but no tensor of the graph: whatever it can see stays in memory, and a tensor holds the bytes of its file.
 */
export class OperatorContext {
  readonly tf: ReferenceOps = REFERENCE_OPS;
  readonly arithmetic: Arithmetic;
  /** The activation that a definition applies if it fuses it. */
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

  /** Whether an optional input is present. */
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

  /** The integers of a constant that is not a weight: axes, paddings. */
  integers(position: number): number[] {
    return integers(this.#tensor(position));
  }

  /** Copies a constant into tfjs' memory, where it stays until the executor is disposed of. */
  keep<T extends TfTensor>(values: Float32Array, shape: readonly number[]): T {
    return this.#context.keep(values, shape);
  }

  /** All inputs in their order: constants from tfjs' memory, the others from the argument. */
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
