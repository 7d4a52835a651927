/** How many residues qu8_gemm_3x8c4_usdot2.c would need: that decides whether it is worth it, and how large its panels are. */
import { wasmHeap } from "../../../backend.ts";
import { loadKernels } from "../../kernels.ts";
import { PAIRS_REST_BYTES, PAIRS_SUMS_BYTES, PANEL_COLUMNS } from "../../layouts.ts";
import { align, SLACK } from "../../step.ts";
import type { CountResidues } from "../builder.ts";

/** Residues for each eight of the depth up to which the kernel is faster than qu8_gemm_4x8c2_dot16x2.c. */
const MOST = 0.6;

/** As of builder.ts; undefined as well if there is no memory to count them in. */
export const countResidues: CountResidues = (source, { columns, depth, zero }) => {
  const kernels = loadKernels();
  const heap = wasmHeap();
  const address = heap.malloc(PANEL_COLUMNS * depth + PAIRS_REST_BYTES + PAIRS_SUMS_BYTES + SLACK + 32);
  if (address === 0) return undefined;
  try {
    const rest = align(address);
    const staging = rest + PAIRS_REST_BYTES + PAIRS_SUMS_BYTES;
    const memory = new Uint8Array(heap.memory.buffer);
    const counts: number[] = [];
    for (let first = 0; first < columns; first += PANEL_COLUMNS) {
      const count = Math.min(PANEL_COLUMNS, columns - first);
      memory.set(source.bytes.subarray(first * depth, (first + count) * depth), staging);
      const flip = source.type === "int8" ? 128 : 0;
      counts.push(kernels.qu8_packw_x8c4_usdot2(staging, 0, rest, rest + PAIRS_REST_BYTES, depth, count, flip, zero));
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total <= MOST * counts.length * Math.ceil(depth / 8) ? counts : undefined;
  } finally {
    heap.free(address);
  }
};
