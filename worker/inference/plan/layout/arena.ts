/** Places tensors in one block of memory, so that tensors that live at different times share it. */
import { align, SLACK } from "../step.ts";

export interface ArenaLayout {
  readonly bytes: number;
  /** Offsets by tensor index, in bytes from the start of the arena. */
  readonly offsets: ReadonlyMap<number, number>;
}

interface Lifetime {
  readonly tensor: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

const overlap = (a: Lifetime, b: Lifetime): boolean => a.from <= b.to && b.from <= a.to;

/** The lowest offset at which `bytes` fit between the occupied blocks. */
function lowestGap(bytes: number, taken: readonly { readonly offset: number; readonly bytes: number }[]): number {
  let offset = 0;
  for (const block of [...taken].sort((a, b) => a.offset - b.offset)) {
    if (offset + bytes <= block.offset) break;
    offset = Math.max(offset, block.offset + block.bytes);
  }
  return offset;
}

/**
 * Places the largest tensors first, each at the lowest offset at which it fits.
 *
 * @param uses The tensors that each step reads or writes.
 * @param ends Tensors that exist before the first step, and tensors that are needed after the last.
 * @param bytesOf The size of a tensor.
 */
export function layOut(
  uses: readonly (readonly number[])[],
  ends: { readonly first: readonly number[]; readonly last: readonly number[] },
  bytesOf: (tensor: number) => number,
): ArenaLayout {
  const spans = new Map<number, { from: number; to: number }>();
  const touch = (tensor: number, step: number) => {
    const span = spans.get(tensor);
    if (span === undefined) spans.set(tensor, { from: step, to: step });
    else span.to = step;
  };
  for (const tensor of ends.first) touch(tensor, -1);
  for (const [step, tensors] of uses.entries()) for (const tensor of tensors) touch(tensor, step);
  for (const tensor of ends.last) touch(tensor, uses.length);

  const lifetimes = [...spans].map(([tensor, span]): Lifetime => {
    return { tensor, bytes: align(bytesOf(tensor) + SLACK), ...span };
  });
  const placed: (Lifetime & { offset: number })[] = [];
  for (const lifetime of lifetimes.sort((a, b) => b.bytes - a.bytes)) {
    const taken = placed.filter((other) => overlap(lifetime, other));
    placed.push({ ...lifetime, offset: lowestGap(lifetime.bytes, taken) });
  }
  return {
    bytes: placed.reduce((most, { offset, bytes }) => Math.max(most, offset + bytes), 0),
    offsets: new Map(placed.map(({ tensor, offset }) => [tensor, offset])),
  };
}
