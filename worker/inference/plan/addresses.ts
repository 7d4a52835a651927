/** Resolves the places in a plan to addresses, and writes kernel parameters that contain them. Knows no heap. */
import { type KernelCall, parameterWords } from "./layouts.ts";
import type { Word } from "./word.ts";

export interface Addresses {
  /** The address of the packed constants of each step. */
  readonly packed: readonly number[];
  readonly scratch: number;
  /** The address of each tensor, by its index in the graph. */
  readonly tensors: ReadonlyMap<number, number>;
}

/** The address of a tensor. */
export function addressOf({ tensors }: Addresses, tensor: number): number {
  const address = tensors.get(tensor);
  if (address === undefined) throw new Error(`tensor ${tensor} has no place in the plan`);
  return address;
}

function resolve(word: Exclude<Word, { f32: number }>, addresses: Addresses, step: number): number {
  if (typeof word === "number") return word;
  if ("tensor" in word) return addressOf(addresses, word.tensor);
  return "packed" in word ? addresses.packed[step] + word.packed : addresses.scratch + word.scratch;
}

/**
 * Writes the parameters of a kernel.
 *
 * @param step The step that owns the places; omit it if all are addresses already.
 */
export function writeParameters(
  view: DataView<ArrayBufferLike>,
  address: number,
  call: KernelCall,
  addresses: Addresses,
  step = -1,
): void {
  for (const [i, word] of parameterWords(call).entries()) {
    if (typeof word === "object" && "f32" in word) view.setFloat32(address + 4 * i, word.f32, true);
    else view.setInt32(address + 4 * i, resolve(word, addresses, step), true);
  }
}
