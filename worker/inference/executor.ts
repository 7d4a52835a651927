/** Runs a TFLite graph operator by operator on tfjs. Knows nothing of images and labels. */
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Parts } from "../runtime/parts.ts";
import type { Graph } from "../tflite/graph.ts";
import { realValues, sizeOf } from "./constants.ts";
import { OpContext, type Step } from "./context.ts";
import { type Input, valuesOf } from "./input.ts";
import { compile } from "./ops.ts";
import { assertSupported, tensorAt } from "./support.ts";
import * as tf from "./tfjs.bundle.js";

interface ScheduledStep {
  readonly run: Step;
  /** The inputs that are not constants, by tensor index. */
  readonly inputs: readonly number[];
  readonly output: number;
  /** The tensors that no later step reads. */
  readonly dead: readonly number[];
}

/** A graph whose weights are in tfjs' memory. Call initBackend() first. */
export class Executor {
  readonly #steps: readonly ScheduledStep[];
  readonly #context: OpContext;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly number[];

  /**
   * Checks and compiles the graph, and copies its weights into tfjs' memory; the file is not needed afterwards.
   *
   * @throws LabelerError of kind model-unusable that names the operator or constant that stands in the way.
   */
  constructor(graph: Graph) {
    assertSupported(graph);
    this.#context = new OpContext(graph);
    this.#inputs = graph.inputs;
    this.#outputs = graph.outputs;
    try {
      this.#steps = this.#schedule(graph);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #schedule(graph: Graph): ScheduledStep[] {
    const context = this.#context;
    const steps: Omit<ScheduledStep, "dead">[] = [];
    for (const operator of graph.operators) {
      if (operator.op === "UNKNOWN") throw new Error("assertSupported let an unknown operator through");
      const [first = -1] = operator.inputs;
      const output = tensorAt(graph, operator, operator.outputs[0]).index;
      if (operator.op === "DEQUANTIZE" && context.isConstant(first)) {
        context.folded.set(output, realValues(tensorAt(graph, operator, first)));
        continue;
      }
      const inputs = operator.inputs.filter((index) => index !== -1 && !context.isConstant(index));
      steps.push({ run: compile(context, operator), inputs, output });
    }
    context.forgetGraph();
    const lastUse = new Map<number, number>();
    for (const [at, step] of steps.entries()) for (const index of [...step.inputs, step.output]) lastUse.set(index, at);
    for (const index of graph.outputs) lastUse.delete(index);
    return steps.map((step, at) => {
      const touched = [...new Set([...step.inputs, step.output])];
      return { ...step, dead: touched.filter((index) => lastUse.get(index) === at) };
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
      for (const step of this.#steps) {
        const output = tf.tidy(() => step.run(step.inputs.map((index) => live.get(index) as TfTensor)));
        live.set(step.output, output);
        for (const index of step.dead) {
          live.get(index)?.dispose();
          live.delete(index);
        }
      }
      return this.#outputs.map((index) => live.get(index)?.dataSync() as Float32Array);
    });
  }

  /** As run(), in one part: between two operators, tfjs could not be used by another run. */
  // biome-ignore lint/correctness/useYield: the one part is the last
  *runInParts(inputs: readonly Input[]): Parts<Float32Array[]> {
    return this.run(inputs);
  }

  /** The bytes that the weights take in tfjs' memory. */
  get weightBytes(): number {
    return this.#context.kept.reduce((sum, tensor) => sum + 4 * sizeOf(tensor.shape), 0);
  }

  /** Frees the weights; the executor cannot be used afterwards. */
  dispose(): void {
    for (const tensor of this.#context.kept.splice(0)) tensor.dispose();
  }
}
