/** Addresses for the places in a plan, and parameters of kernels that have them. Knows no heap. */
import { type KernelCall, parameterWords } from "./layouts.ts";
import type { Word } from "./word.ts";

export interface Addresses {
  /** The packed constants of each step. */
  readonly packed: readonly number[];
  readonly scratch: number;
  /** By tensor of the graph. */
  readonly tensors: ReadonlyMap<number, number>;
}

/** Where a tensor lies. */
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

/** Writes the parameters of a kernel. @param step In whose memory the places are; left out if all are addresses. */
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
