/** Binds a compiled plan to memory: one allocation in tfjs' heap, packed constants, and parameters with addresses. */
import { LabelerError } from "../../errors.ts";
import { wasmHeap } from "../backend.ts";
import { type Addresses, writeParameters } from "./addresses.ts";
import type { CompiledPlan } from "./compiled-plan.ts";
import type { Kernels } from "./layouts.ts";
import { ALIGNMENT, align, type Packed } from "./step.ts";

/** The addresses of a plan in the heap. */
export interface Binding extends Addresses {
  /** The address with which the allocation is freed. */
  readonly allocation: number;
  /** The size of the allocation in bytes. */
  readonly bytes: number;
  /** The address of each step's parameters. */
  readonly parameters: readonly number[];
  /** See MemoryLayout. */
  readonly input: number;
}

/**
 * Allocates memory in the heap.
 *
 * @throws LabelerError of kind model-unavailable if there is not enough memory.
 */
export function allocate(bytes: number): number {
  const address = wasmHeap().malloc(bytes + ALIGNMENT);
  if (address === 0) throw new LabelerError("model-unavailable", `There is no room for ${bytes} bytes of the model.`);
  return address;
}

/** Packs the constants and writes the parameters. */
function fill(
  { steps, memory }: CompiledPlan,
  constants: readonly (Packed | undefined)[],
  binding: Binding,
  kernels: Kernels,
) {
  const room = Math.max(ALIGNMENT, ...constants.map((packed) => packed?.staging ?? 0));
  // Allocates before any view is made, since an allocation may move the memory.
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
 * @param constants The packers of each step's constants.
 * @throws LabelerError of kind model-unavailable if there is not enough memory; of kind model-unusable if a constant is
 *   damaged.
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
