/**
 * A graph compiled to calls of the kernels in native/kernels: all its memory is laid out and its weights are packed once,
 * in tfjs' heap, and tfjs sees one kernel that takes its inputs and gives its outputs.
 */
import type { NamedAttrMap, NamedTensorInfoMap, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { LabelerError } from "../../errors.ts";
import { finish, type Parts } from "../../runtime/parts.ts";
import type { Graph } from "../../tflite/graph.ts";
import { wasmHeap } from "../backend.ts";
import { CHANNELS, type Input, LEVELS } from "../input.ts";
import * as tf from "../tfjs.bundle.js";
import { type ClassActivation, NoActivation } from "./activation.ts";
import type { PlanPrecision, UseOfStrassen } from "./builder.ts";
import { type Compiled, compile } from "./compile.ts";
import { dotIsExact, loadKernels, pairsAreExact } from "./kernels.ts";
import {
  CONVERT_BYTES,
  type ConvKernel,
  type KernelCall,
  type Kernels,
  PIXELS_BYTES,
  parameterWords,
} from "./layouts.ts";
import { countResidues } from "./residues.ts";
import { align, type KernelStep, SLACK, type Step, type Word } from "./step.ts";
import { READ_COLUMN } from "./unpack.ts";
import type { Value } from "./value.ts";

export type { PlanPrecision } from "./builder.ts";
export { NoPlan } from "./value.ts";

const NAME = "CompiledPlan";

/** The part of tfjs' wasm backend that the kernel needs. */
interface Backend {
  makeOutput(shape: number[], dtype: "float32"): TfTensor;
  typedArrayFromHeap(tensor: unknown): Float32Array;
}

/** Room for the parameters with which inputs are converted; behind it are the levels of pixels. */
const INPUT_BYTES = Math.max(CONVERT_BYTES, PIXELS_BYTES);

interface Blocks {
  readonly arena: number;
  readonly scratch: number;
  readonly packed: readonly number[];
  readonly parameters: readonly number[];
  readonly input: number;
  readonly bytes: number;
  readonly address: number;
}

export interface PlanOptions {
  readonly precision: PlanPrecision;
  /** Whether to use the relaxed dot product of bytes; by default where it is exact. */
  readonly dot?: boolean;
  /** Whether to use that of pairs of bytes where the other is not used; by default where it is exact. */
  readonly pairs?: boolean;
  /** Which products of a fast plan go by Strassen's multiplication; by default those that gain by it. */
  readonly strassen?: UseOfStrassen;
}

/** What tfjs sees of a run: its beginning, which has its inputs, and its end, which gives its outputs. */
interface Part {
  readonly inputs?: readonly Input[];
}

/** Same interface as Executor. Call initBackend() first. */
export class Plan {
  readonly #compiled: Compiled;
  readonly #kernels: Kernels;
  readonly #blocks: Blocks;
  #disposed = false;

  /**
   * @throws NoPlan with the reason if there is no kernel for what the graph asks for; LabelerError of kind
   *   model-unusable if a constant is damaged, or of kind model-unavailable if the memory does not suffice.
   */
  constructor(graph: Graph, options: PlanOptions) {
    const { precision, dot = dotIsExact(), pairs = pairsAreExact(), strassen } = options;
    this.#kernels = loadKernels();
    this.#compiled = compile(graph, precision, { dot, residuesOf: pairs ? countResidues : undefined, strassen });
    this.#blocks = allocate(this.#compiled);
    try {
      this.#fill();
    } catch (error) {
      this.dispose();
      throw error;
    }
    // The weights are in tfjs' memory now; the closures that packed them hold their source.
    this.#compiled = {
      ...this.#compiled,
      steps: this.#compiled.steps.map(withoutPacked),
    };
  }

  /** Where a tensor lies. */
  #addressOf(tensor: number): number {
    const offset = this.#compiled.arena.offsets.get(this.#compiled.root(tensor));
    if (offset === undefined) throw new Error(`tensor ${tensor} has no place in the plan`);
    return this.#blocks.arena + offset;
  }

  #resolve(word: Exclude<Word, { f32: number }>, step: number): number {
    if (typeof word === "number") return word;
    if ("tensor" in word) return this.#addressOf(word.tensor);
    return "packed" in word ? this.#blocks.packed[step] + word.packed : this.#blocks.scratch + word.scratch;
  }

  /** Writes weights and parameters into the heap. */
  #fill(): void {
    const { steps } = this.#compiled;
    const packedOf = (step: Step) => ("kernel" in step ? step.packed : undefined);
    const room = Math.max(16, ...steps.map((step) => packedOf(step)?.staging ?? 0));
    // Before any view is made, since an allocation may move the memory.
    const staging = allocateBytes(room);
    try {
      const view = new DataView(wasmHeap().memory.buffer);
      const packing = { kernels: this.#kernels, buffer: view.buffer, staging: align(staging) };
      new Uint8Array(view.buffer, this.#blocks.address, this.#blocks.bytes).fill(0);
      for (const [index, step] of steps.entries()) {
        const packed = packedOf(step);
        packed?.write(new DataView(view.buffer, this.#blocks.packed[index], packed.bytes), packing);
        if ("kernel" in step) this.#writeParameters(view, this.#blocks.parameters[index], step, index);
      }
    } finally {
      wasmHeap().free(staging);
    }
  }

  /** @param step In whose memory the places are. */
  #writeParameters(view: DataView<ArrayBufferLike>, address: number, call: KernelCall, step: number): void {
    for (const [i, word] of parameterWords(call).entries()) {
      if (typeof word === "object" && "f32" in word) view.setFloat32(address + 4 * i, word.f32, true);
      else view.setInt32(address + 4 * i, this.#resolve(word, step), true);
    }
  }

  /** Converts an input. All places are addresses. */
  #convertInput(call: KernelCall): void {
    this.#writeParameters(new DataView(wasmHeap().memory.buffer), this.#blocks.input, call, -1);
    this.#kernels[call.kernel](this.#blocks.input);
  }

  /** Puts an input, floats at `from`, into its place. Bytes come less their zero point. */
  #takeInput(input: Value, from: number): void {
    const { memory } = wasmHeap();
    const to = this.#addressOf(input.tensor.index);
    if (input.kind === "f32") {
      new Uint8Array(memory.buffer).copyWithin(to, from, from + 4 * input.size);
      return;
    }
    const { size, zero } = input;
    const parameters = { input: from, output: to, size, table: 0, scale: 1, zero, low: 0, high: 255 };
    this.#convertInput({ kernel: "quantize_u8", parameters });
  }

  #takeOutput(output: Value, to: Float32Array): void {
    const { buffer } = wasmHeap().memory;
    const from = this.#addressOf(output.tensor.index);
    if (output.kind === "f32") {
      to.set(new Float32Array(buffer, from, output.size));
      return;
    }
    const bytes = new Uint8Array(buffer, from, output.size);
    for (let i = 0; i < bytes.length; i++) to[i] = bytes[i] - output.zero;
  }

  /** Computes all tensors from the inputs that are in the arena. */
  runKernels(): void {
    this.#runSteps(0, this.#compiled.steps.length);
  }

  #runSteps(from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const step = this.#compiled.steps[index];
      if ("kernel" in step) this.#kernels[step.kernel](this.#blocks.parameters[index]);
      else step.run(wasmHeap().memory.buffer, this.#addressOf(step.from), this.#addressOf(step.to));
    }
  }

  /** Puts an input of pixels into its place. */
  #takePixels(input: Value, { pixels, levels }: Extract<Input, { pixels: unknown }>): void {
    const { buffer } = wasmHeap().memory;
    const to = this.#addressOf(input.tensor.index);
    const table = this.#blocks.input + INPUT_BYTES;
    // Where floats will be, the bytes wait at the end: they are read before anything is written over them.
    const from = input.kind === "f32" ? to + 3 * input.size : to;
    new Uint8Array(buffer, from, input.size).set(pixels);
    const unchanged = input.kind === "u8" && levels.every((level, i) => level + input.zero === i % LEVELS);
    if (unchanged) return;
    if (input.kind === "f32") new Float32Array(buffer, table, levels.length).set(levels);
    else new Uint8Array(buffer, table, levels.length).set(levels.map((level) => level + input.zero));
    this.#convertInput({
      kernel: input.kind === "f32" ? "take_pixels_f32" : "take_pixels_u8",
      parameters: { pixels: from, output: to, size: input.size / CHANNELS, levels: table },
    });
  }

  /** What tfjs calls: inputs that are no pixels, and outputs, are tensors in its memory. */
  compute({ inputs }: Part, tensors: NamedTensorInfoMap, backend: Backend): TfTensor[] {
    const { inputs: takes, outputs: gives } = this.#compiled;
    if (inputs !== undefined) {
      for (const [i, input] of inputs.entries()) {
        if ("pixels" in input) this.#takePixels(takes[i], input);
        else this.#takeInput(takes[i], backend.typedArrayFromHeap(tensors[i]).byteOffset);
      }
      return [];
    }
    // Before any view is made, since an allocation may move the memory.
    const results = gives.map(({ tensor }) => backend.makeOutput([...tensor.shape], "float32"));
    for (const [i, output] of gives.entries()) this.#takeOutput(output, backend.typedArrayFromHeap(results[i]));
    return results;
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

  /** As run(), a step of the plan in each part. Between two parts another run may begin only if this one never goes on. */
  *runInParts(inputs: readonly Input[]): Parts<Float32Array[]> {
    for (const [i, { size }] of this.#compiled.inputs.entries()) {
      const input = inputs[i];
      const given = input && ("values" in input ? input.values : input.pixels).length;
      if (given !== size) throw new RangeError(`input ${i} has ${given} values, not ${size}`);
    }
    this.#call({ inputs });
    for (let step = 0; step < this.#compiled.steps.length; step++) {
      this.#runSteps(step, step + 1);
      yield;
    }
    return this.#call({});
  }

  /** Has tfjs take the inputs, or give the outputs. */
  #call(part: Part): Float32Array[] {
    return tf.tidy(() => {
      const tensors = (part.inputs ?? []).flatMap((input, i) => {
        return "values" in input ? [[String(i), tf.tensor(input.values, [...input.shape], "float32")] as const] : [];
      });
      const attributes = { plan: this, part } as unknown as NamedAttrMap;
      const outputs = tf.engine().runKernel(NAME, Object.fromEntries(tensors), attributes) as TfTensor[];
      return outputs.map((output) => output.dataSync() as Float32Array);
    });
  }

  /**
   * How much each place of the image speaks for a class, as of the last run. Call it before anything is awaited.
   *
   * @returns The share of each place in the class's score: score = mean of values + bias. A softmax is left out.
   * @throws NoActivation with the reason if the graph is no classifier of features that are averaged over all places.
   */
  classActivation(label: number): ClassActivation {
    const { head, steps } = this.#compiled;
    if (typeof head === "string") throw new NoActivation(`This network has no map of its classes: ${head}.`);
    const step = steps[head.step];
    if (!isConvolution(step)) throw new Error("the classifier is no matrix of weights");
    const { depth, columns } = step.parameters;
    if (!(label >= 0 && label < columns)) throw new RangeError(`class ${label} is not among ${columns}`);
    const { buffer } = wasmHeap().memory;
    const packed = new DataView(buffer, this.#blocks.packed[head.step]);
    const { weights, bias } = READ_COLUMN[step.kernel](packed, depth, label, step.parameters);
    const { features, inputScale } = head;
    const [, height, width, channels] = features.tensor.shape;
    const at = this.#addressOf(features.tensor.index);
    const [scale, zero] = features.kind === "u8" ? [features.scale, features.zero] : [1, 0];
    const values =
      features.kind === "u8" ? new Uint8Array(buffer, at, features.size) : new Float32Array(buffer, at, features.size);
    const weightScale = head.weightScales[label] ?? head.weightScales[0];
    const map = new Float32Array(height * width);
    for (let place = 0; place < map.length; place++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += (values[place * channels + c] - zero) * weights[c];
      map[place] = sum * scale * weightScale;
    }
    return { height, width, values: map, bias: bias * inputScale * weightScale };
  }

  /** The bytes that the plan takes in tfjs' memory: weights, activations, scratch. */
  get weightBytes(): number {
    return this.#blocks.bytes;
  }

  /** The kernels in the order in which they run, for benchmarks. */
  get kernels(): readonly string[] {
    return this.#compiled.steps.map((step) => ("kernel" in step ? step.kernel : "host"));
  }

  /** Frees the memory; the plan cannot be used afterwards. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    wasmHeap().free(this.#blocks.address);
  }
}

/** A step without the closure that packed its weights. */
function withoutPacked(step: Step): Step {
  if (!("kernel" in step)) return step;
  const { packed: _, ...rest } = step;
  return rest;
}

const isConvolution = (step: Step): step is Extract<KernelStep, { kernel: ConvKernel }> =>
  "kernel" in step && step.kernel in READ_COLUMN;

/** @throws LabelerError of kind model-unavailable if there is no room. */
function allocateBytes(bytes: number): number {
  const address = wasmHeap().malloc(bytes + 16);
  if (address === 0) throw new LabelerError("model-unavailable", `There is no room for ${bytes} bytes of the model.`);
  return address;
}

/** All of a plan's memory in one allocation. */
function allocate({ steps, arena }: Compiled): Blocks {
  let bytes = 16; // of which alignment may take 15
  const reserve = (size: number): number => {
    const start = bytes;
    bytes += align(size);
    return start;
  };
  const wordsOf = (step: Step) => ("kernel" in step ? 4 * parameterWords(step).length : 0);
  const packedOf = (step: Step) => ("kernel" in step ? (step.packed?.bytes ?? 0) : 0);
  const offsets = {
    packed: steps.map((step) => reserve(packedOf(step))),
    parameters: steps.map((step) => reserve(wordsOf(step))),
    input: reserve(INPUT_BYTES + 4 * CHANNELS * LEVELS),
    scratch: reserve(Math.max(0, ...steps.map((step) => ("kernel" in step ? (step.scratch ?? 0) : 0)))),
    arena: reserve(arena.bytes + SLACK),
  };
  const address = allocateBytes(bytes);
  // The first 16 bytes are there to be lost to alignment.
  const base = align(address) - 16;
  const place = (offset: number) => base + offset;
  return {
    address,
    bytes,
    packed: offsets.packed.map(place),
    parameters: offsets.parameters.map(place),
    input: place(offsets.input),
    scratch: place(offsets.scratch),
    arena: place(offsets.arena),
  };
}

tf.registerKernel({
  kernelName: NAME,
  backendName: "wasm",
  kernelFunc({ inputs, attrs, backend }) {
    const { plan, part } = attrs as unknown as { plan: Plan; part: Part };
    return plan.compute(part, inputs as NamedTensorInfoMap, backend as Backend);
  },
});
