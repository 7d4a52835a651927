/** Runs a TFLite graph operator by operator on tfjs. It does not handle images or labels. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Parts } from "../runtime/parts.ts";
import type { Graph } from "../tflite/graph.ts";
import { realValues, sizeOf } from "./constants.ts";
import { type Compute, GraphContext } from "./context.ts";
import { type Input, valuesOf } from "./input.ts";
import { definitionOf } from "./operators/registry.ts";
import { compile } from "./reference.ts";
import { assertSupported } from "./support.ts";
import { tensorAt } from "./tensor-at.ts";
import * as tf from "./tfjs.bundle.js";

interface ScheduledOperator {
  readonly run: Compute;
  /** The non-constant inputs, by tensor index. */
  readonly inputs: readonly number[];
  readonly output: number;
  /** The tensors that no later operator reads. */
  readonly dead: readonly number[];
}

/** A graph whose weights are in tfjs' memory. Call initBackend() first. */
export class Executor {
  readonly #scheduled: readonly ScheduledOperator[];
  readonly #context: GraphContext;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly number[];

  /**
   * Checks and compiles the graph, and copies its weights into tfjs' memory; the file is not needed afterwards.
   *
   * @throws LabelerError of kind model-unusable that names the operator or constant that is not supported.
   */
  constructor(graph: Graph) {
    assertSupported(graph);
    this.#context = new GraphContext(graph);
    this.#inputs = graph.inputs;
    this.#outputs = graph.outputs;
    try {
      this.#scheduled = this.#schedule(graph);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #schedule(graph: Graph): ScheduledOperator[] {
    const context = this.#context;
    const scheduled: Omit<ScheduledOperator, "dead">[] = [];
    for (const operator of graph.operators) {
      const [first = -1] = operator.inputs;
      const output = tensorAt(graph, operator, operator.outputs[0]).index;
      if (definitionOf(operator)?.unpacks && context.isConstant(first)) {
        context.folded.set(output, realValues(tensorAt(graph, operator, first)));
        continue;
      }
      const inputs = operator.inputs.filter((index) => index !== -1 && !context.isConstant(index));
      scheduled.push({ run: compile(context, operator), inputs, output });
    }
    context.forgetGraph();
    const lastUse = new Map<number, number>();
    for (const [at, { inputs, output }] of scheduled.entries()) {
      for (const index of [...inputs, output]) lastUse.set(index, at);
    }
    for (const index of graph.outputs) lastUse.delete(index);
    return scheduled.map((operator, at) => {
      const touched = [...new Set([...operator.inputs, operator.output])];
      return { ...operator, dead: touched.filter((index) => lastUse.get(index) === at) };
    });
  }

  /**
   * Runs the graph once.
   *
   * Quantised inputs and outputs are integers less their zero points.
   *
   * @param inputs One for each input of the graph.
   * @returns The values of each output of the graph.
   */
  run(inputs: readonly Input[]): Float32Array[] {
    return tf.tidy(() => {
      const live = new Map<number, TfTensor>();
      inputs.forEach((input, i) => {
        live.set(this.#inputs[i], tf.tensor(valuesOf(input), [...input.shape], "float32"));
      });
      for (const operator of this.#scheduled) {
        const output = tf.tidy(() => operator.run(operator.inputs.map((index) => live.get(index) as TfTensor)));
        live.set(operator.output, output);
        for (const index of operator.dead) {
          live.get(index)?.dispose();
          live.delete(index);
        }
      }
      return this.#outputs.map((index) => live.get(index)?.dataSync() as Float32Array);
    });
  }

  /** Like run(), in one part: between two operators, another run could not use tfjs. */
  // biome-ignore lint/correctness/useYield: the one part is the last
  *runInParts(inputs: readonly Input[]): Parts<Float32Array[]> {
    return this.run(inputs);
  }

  /** The bytes of the weights in tfjs' memory. */
  get weightBytes(): number {
    return this.#context.kept.reduce((sum, tensor) => sum + 4 * sizeOf(tensor.shape), 0);
  }

  /** Frees the weights; the executor cannot be used afterwards. */
  dispose(): void {
    for (const tensor of this.#context.kept.splice(0)) tensor.dispose();
  }
}
