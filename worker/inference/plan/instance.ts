/** A runnable plan: a compiled plan and its memory in tfjs' heap. */
import { finish, type Parts } from "../../runtime/parts.ts";
import { wasmHeap } from "../backend.ts";
import type { Input } from "../input.ts";
import { type ClassActivation, computeActivation } from "./activation.ts";
import { addressOf } from "./addresses.ts";
import { type Binding, bind } from "./bind.ts";
import type { Compilation } from "./compile.ts";
import { type CompiledPlan, nameOf } from "./compiled-plan.ts";
import { giveValues, takePixels, takeValues } from "./ends.ts";
import { runOnHost } from "./host.ts";
import { loadKernels } from "./kernels.ts";
import type { Kernels } from "./layouts.ts";
import { type CompiledTaps, readTap, type Tap } from "./tapped.ts";

/** Has the same interface as Executor. */
export class PlanInstance {
  /** The plan that it runs. */
  readonly compiled: CompiledPlan;
  /** Where features are read while the plan runs, or why the network does not give any. */
  readonly taps: CompiledTaps | string;
  readonly #kernels: Kernels;
  readonly #binding: Binding;
  #disposed = false;

  /**
   * Call initBackend() first.
   *
   * @throws LabelerError of kind model-unusable if a constant is damaged, or of kind model-unavailable if there is not
   *   enough memory.
   */
  constructor({ plan, constants, taps }: Compilation) {
    this.compiled = plan;
    this.taps = taps;
    this.#kernels = loadKernels();
    this.#binding = bind(plan, constants, this.#kernels);
  }

  /** Runs steps on the current content of the arena; by default all of them. */
  runSteps(from = 0, to = this.compiled.steps.length): void {
    const { steps } = this.compiled;
    for (let index = from; index < to; index++) {
      const step = steps[index];
      if ("kernel" in step) this.#kernels[step.kernel](this.#binding.parameters[index]);
      else {
        const [input, output] = [addressOf(this.#binding, step.from), addressOf(this.#binding, step.to)];
        runOnHost(step, wasmHeap().memory.buffer, input, output);
      }
    }
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
    return finish(this.runInParts(inputs));
  }

  /**
   * Like run(), with one step of the plan in each part. Between two parts another run may begin only if this one is
   * never continued.
   *
   * @param ran Called after each step; its output stays in memory until a later step overwrites it.
   */
  *runInParts(inputs: readonly Input[], ran?: (step: number) => void): Parts<Float32Array[]> {
    for (const [i, { size }] of this.compiled.inputs.entries()) {
      const input = inputs[i];
      const given = input && ("values" in input ? input.values : input.pixels).length;
      if (given !== size) throw new RangeError(`input ${i} has ${given} values, not ${size}`);
    }
    for (const [i, taken] of this.compiled.inputs.entries()) {
      const input = inputs[i];
      if ("pixels" in input) takePixels(taken, input, this.#binding, this.#kernels);
      else takeValues(taken, input.values, this.#binding, this.#kernels);
    }
    for (let step = 0; step < this.compiled.steps.length; step++) {
      this.runSteps(step, step + 1);
      ran?.(step);
      yield;
    }
    return this.compiled.outputs.map((output) => giveValues(output, this.#binding));
  }

  /**
   * How much each place of the image contributes to a class, from the last run; see computeActivation(). Call it before
   * anything is awaited.
   *
   * @throws NoActivation with the reason if the graph does not have such maps.
   */
  classActivation(label: number): ClassActivation {
    return computeActivation(this.compiled, this.#binding, label);
  }

  /** The values of a tap; call it right after its step has run. */
  readTap(tap: Tap): Float32Array {
    return readTap(tap, wasmHeap().memory.buffer, addressOf(this.#binding, tap.value.tensor.index));
  }

  /** The bytes of the plan in tfjs' memory: weights, activations, scratch. */
  get weightBytes(): number {
    return this.#binding.bytes;
  }

  /** The kernels and host functions in the order in which they run. */
  get kernels(): readonly string[] {
    return this.compiled.steps.map(nameOf);
  }

  /** Frees the memory; the plan cannot be used afterwards. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    wasmHeap().free(this.#binding.allocation);
  }
}
