/** Binds a compiled plan to memory: one allocation in tfjs' heap, packed constants, and parameters with addresses. */
import { LabelerError } from "../../errors.ts";
import { wasmHeap } from "../backend.ts";
import type { CompiledPlan } from "./compiled-plan.ts";
import { type KernelCall, type Kernels, parameterWords } from "./layouts.ts";
import { ALIGNMENT, align, type Packed, type Word } from "./step.ts";

/** Where a plan lies in the heap: addresses. */
export interface Binding {
  /** What the allocation is freed by. */
  readonly allocation: number;
  /** The bytes of the allocation. */
  readonly bytes: number;
  /** The packed constants of each step. */
  readonly packed: readonly number[];
  /** The parameters of each step. */
  readonly parameters: readonly number[];
  /** See MemoryLayout. */
  readonly input: number;
  readonly scratch: number;
  /** By tensor of the graph. */
  readonly tensors: ReadonlyMap<number, number>;
}

/** @throws LabelerError of kind model-unavailable if there is no room. */
function allocate(bytes: number): number {
  const address = wasmHeap().malloc(bytes + ALIGNMENT);
  if (address === 0) throw new LabelerError("model-unavailable", `There is no room for ${bytes} bytes of the model.`);
  return address;
}

/** Where a tensor lies. */
export function addressOf({ tensors }: Binding, tensor: number): number {
  const address = tensors.get(tensor);
  if (address === undefined) throw new Error(`tensor ${tensor} has no place in the plan`);
  return address;
}

function resolve(word: Exclude<Word, { f32: number }>, binding: Binding, step: number): number {
  if (typeof word === "number") return word;
  if ("tensor" in word) return addressOf(binding, word.tensor);
  return "packed" in word ? binding.packed[step] + word.packed : binding.scratch + word.scratch;
}

/** Writes the parameters of a kernel. @param step In whose memory the places are; left out if all are addresses. */
export function writeParameters(
  view: DataView<ArrayBufferLike>,
  address: number,
  call: KernelCall,
  binding: Binding,
  step = -1,
): void {
  for (const [i, word] of parameterWords(call).entries()) {
    if (typeof word === "object" && "f32" in word) view.setFloat32(address + 4 * i, word.f32, true);
    else view.setInt32(address + 4 * i, resolve(word, binding, step), true);
  }
}

/** Packs the constants and writes the parameters. */
function fill(
  { steps, memory }: CompiledPlan,
  constants: readonly (Packed | undefined)[],
  binding: Binding,
  kernels: Kernels,
) {
  const room = Math.max(ALIGNMENT, ...constants.map((packed) => packed?.staging ?? 0));
  // Before any view is made, since an allocation may move the memory.
  const staging = allocate(room);
  try {
    const view = new DataView(wasmHeap().memory.buffer);
    const packing = { kernels, buffer: view.buffer, staging: align(staging) };
    new Uint8Array(view.buffer, align(binding.allocation), memory.bytes).fill(0);
    for (const [index, step] of steps.entries()) {
      const packed = constants[index];
      packed?.write(new DataView(view.buffer, binding.packed[index], packed.bytes), packing);
      if ("kernel" in step) writeParameters(view, binding.parameters[index], step, binding, index);
    }
  } finally {
    wasmHeap().free(staging);
  }
}

/**
 * @param constants What packs the constants of each step.
 * @throws LabelerError of kind model-unavailable if there is no room; of kind model-unusable if a constant is damaged.
 */
export function bind(plan: CompiledPlan, constants: readonly (Packed | undefined)[], kernels: Kernels): Binding {
  const { memory, tensors } = plan;
  const allocation = allocate(memory.bytes);
  const base = align(allocation);
  const place = (offset: number) => base + offset;
  const binding: Binding = {
    allocation,
    bytes: memory.bytes + ALIGNMENT,
    packed: memory.packed.map(place),
    parameters: memory.parameters.map(place),
    input: place(memory.input),
    scratch: place(memory.scratch),
    tensors: new Map(tensors.map(({ index, offset }) => [index, place(memory.arena + offset)])),
  };
  try {
    fill(plan, constants, binding, kernels);
  } catch (error) {
    wasmHeap().free(allocation);
    throw error;
  }
  return binding;
}
