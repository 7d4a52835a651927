/** How many residues conv_u8_pairs.c would need: that decides whether it is worth it, and how large its panels are. */
import { wasmHeap } from "../backend.ts";
import type { CountResidues } from "./builder.ts";
import { loadKernels } from "./kernels.ts";
import { COLUMNS } from "./pack.ts";
import { align, SLACK } from "./step.ts";

/** Bytes of scratch of pack_u8_pairs: [8][8] int16, and eight sums. */
export const REST_BYTES = 128;
export const SUMS_BYTES = 32;

/** Residues for each eight of the depth up to which the kernel is faster than conv_u8_wide.c. */
const MOST = 0.6;

/** As of builder.ts; undefined as well if there is no memory to count them in. */
export const countResidues: CountResidues = (source, { columns, depth, zero }) => {
  const kernels = loadKernels();
  const heap = wasmHeap();
  const address = heap.malloc(COLUMNS * depth + REST_BYTES + SUMS_BYTES + SLACK + 32);
  if (address === 0) return undefined;
  try {
    const rest = align(address);
    const staging = rest + REST_BYTES + SUMS_BYTES;
    const memory = new Uint8Array(heap.memory.buffer);
    const counts: number[] = [];
    for (let first = 0; first < columns; first += COLUMNS) {
      const count = Math.min(COLUMNS, columns - first);
      memory.set(source.bytes.subarray(first * depth, (first + count) * depth), staging);
      const flip = source.type === "int8" ? 128 : 0;
      counts.push(kernels.pack_u8_pairs(staging, 0, rest, rest + REST_BYTES, depth, count, flip, zero));
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total <= MOST * counts.length * Math.ceil(depth / 8) ? counts : undefined;
  } finally {
    heap.free(address);
  }
};
