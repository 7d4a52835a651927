/** Instantiates the kernels of native/kernels in the memory of tfjs' wasm backend. Independent of graphs. */

import kernelsModule from "../../../native/kernels/kernels.wasm";
import { wasmHeap } from "../backend.ts";
import type { Kernels } from "./layouts.ts";

let loaded: Kernels | undefined;

/** Call initBackend() first. */
export function loadKernels(): Kernels {
  loaded ??= new WebAssembly.Instance(kernelsModule, { env: { memory: wasmHeap().memory } })
    .exports as unknown as Kernels;
  return loaded;
}

/**
 * Whether this CPU's relaxed dot product of uint8 is exact for four products of full bytes. If the CPU adds pairs in 16
 * bits, 127·255 + 127·255 overflows.
 */
export const dotIsExact = (): boolean =>
  loadKernels().usdot_is_exact(127, 255) === 1 && loadKernels().usdot_is_exact(-128, 255) === 1;

/** Whether the CPU's relaxed dot product of pairs of uint8 is exact for full bytes as long as the sums fit 16 bits. */
export const pairsAreExact = (): boolean =>
  loadKernels().usdot2_is_exact(64, 255) === 1 && loadKernels().usdot2_is_exact(-64, 255) === 1;
