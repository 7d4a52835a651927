/** Counts overflow weights ("residues") in tfjs' heap while a plan is compiled. */
import { wasmHeap } from "../backend.ts";
import { loadKernels } from "./kernels.ts";
import type { CountResidues } from "./lower/builder.ts";
import { countingBytes, countResiduesIn } from "./lower/convolution/residues.ts";

/** Implements CountResidues of builder.ts; also returns undefined if there is no memory to count in. */
export const countResidues: CountResidues = (source, matrix) => {
  const kernels = loadKernels();
  const heap = wasmHeap();
  const address = heap.malloc(countingBytes(matrix.depth));
  if (address === 0) return undefined;
  try {
    return countResiduesIn({ kernels, buffer: heap.memory.buffer, address }, source, matrix);
  } finally {
    heap.free(address);
  }
};
