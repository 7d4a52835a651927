/** Counts overflow weights in tfjs' heap while a plan is compiled. */
import { wasmHeap } from "../backend.ts";
import { loadKernels } from "./kernels.ts";
import type { CountOverflow } from "./lower/builder.ts";
import { countingBytes, countOverflowIn } from "./lower/convolution/overflow.ts";

/** Implements CountOverflow of builder.ts; also returns undefined if there is no memory to count in. */
export const countOverflow: CountOverflow = (source, matrix) => {
  const kernels = loadKernels();
  const heap = wasmHeap();
  const address = heap.malloc(countingBytes(matrix.reduction));
  if (address === 0) return undefined;
  try {
    return countOverflowIn({ kernels, buffer: heap.memory.buffer, address }, source, matrix);
  } finally {
    heap.free(address);
  }
};
