/** Instantiates the kernels of native/kernels in the memory of tfjs' wasm backend. Independent of graphs. */

import kernelsModule from "../../../native/kernels/kernels.wasm";
import { wasmHeap } from "../backend.ts";
import type { Kernels } from "./layouts.ts";
import type { ByteDot } from "./lower/builder.ts";

let loaded: Kernels | undefined;

/** Call initBackend() first. */
export function loadKernels(): Kernels {
  loaded ??= new WebAssembly.Instance(kernelsModule, { env: { memory: wasmHeap().memory } })
    .exports as unknown as Kernels;
  return loaded;
}

/**
 * What this CPU's relaxed dot product of four bytes is exact for. If it takes activations as unsigned and adds pairs in 16
 * bits, 127·255 + 127·255 overflows, and it is exact for neither.
 *
 * A signed one is not asked for −128·−128: CPUs that add pairs in 16 bits answer in one way before V8 has optimised the
 * code and in another afterwards. So weights that would need it go by another kernel.
 */
export function exactDot(): ByteDot | false {
  const isExact = (weight: number, byte: number) => loadKernels().usdot_is_exact(weight, byte) === 1;
  if (isExact(127, 255) && isExact(-128, 255)) return "unsigned";
  return isExact(127, -128) && isExact(-127, -1) && isExact(-128, 127) ? "signed" : false;
}

/** Whether the CPU's relaxed dot product of pairs of uint8 is exact for full bytes as long as the sums fit 16 bits. */
export const pairsAreExact = (): boolean =>
  loadKernels().usdot2_is_exact(64, 255) === 1 && loadKernels().usdot2_is_exact(-64, 255) === 1;

/**
 * Whether sums of 16-bit products are faster with even and odd depth apart: on ARM, where a product and an addition are
 * one instruction, and there are registers for twice as many sums. There bytes are signed in the product of pairs, which on
 * x86 they never are.
 */
export const sumsApart = (): boolean => loadKernels().usdot2_is_exact(1, -56) === 1;
