/** The kernels of native/kernels, instantiated in the memory of tfjs' wasm backend. Knows nothing of graphs. */

import kernelsModule from "../../../native/kernels/kernels.wasm";
import { wasmHeap } from "../backend.ts";

/** Each takes the address of its parameters, the structure of that name in native/kernels/src. */
export type KernelName =
  | "conv_f32"
  | "conv_f32_i16"
  | "conv_f32_strassen"
  | "conv_u8_wide"
  | "conv_u8_dot"
  | "conv_u8_pairs"
  | "depthwise_f32"
  | "depthwise_u8"
  | "depthwise_u8_dot"
  | "elementwise_f32"
  | "elementwise_u8"
  | "pool_f32"
  | "pool_u8"
  | "look_up_u8"
  | "quantize_u8"
  | "dequantize_u8"
  | "clamp_values_f32"
  | "hard_swish_f32"
  | "function_f32"
  | "look_up_pairs_u8"
  | "move_bytes"
  | "copy_f32"
  | "copy_u8"
  | "take_pixels_f32"
  | "take_pixels_u8";

export type Kernels = { readonly [name in KernelName]: (parameters: number) => void } & {
  dot_is_exact(weight: number, byte: number): number;
  pairs_are_exact(weight: number, byte: number): number;
} & Packers;

/** pack.c; all addresses and counts. */
interface Packers {
  unpack_f16(from: number, to: number, count: number): void;
  pack_f32(from: number, to: number, depth: number): void;
  pack_f32_i16(
    from: number,
    steps: number,
    to: number,
    depth: number,
    limit: number,
    largest: number,
    oneSign: number,
    factor: number,
  ): void;
  pack_u8_i16(from: number, to: number, depth: number, flip: number, zero: number): void;
  /** @returns The number of residues; `to` is 0 to have them counted only. */
  pack_u8_pairs(
    from: number,
    to: number,
    rest: number,
    sums: number,
    depth: number,
    columns: number,
    flip: number,
    zero: number,
  ): number;
  pack_u8_dot(from: number, sums: number, to: number, depth: number, flip: number): void;
}

let loaded: Kernels | undefined;

/** Call initBackend() first. */
export function loadKernels(): Kernels {
  loaded ??= new WebAssembly.Instance(kernelsModule, { env: { memory: wasmHeap().memory } })
    .exports as unknown as Kernels;
  return loaded;
}

/**
 * Whether this CPU's relaxed dot product of bytes sums four products of full bytes exactly. Where it adds pairs in 16
 * bits, 127·255 + 127·255 does not fit.
 */
export const dotIsExact = (): boolean =>
  loadKernels().dot_is_exact(127, 255) === 1 && loadKernels().dot_is_exact(-128, 255) === 1;

/** Whether its relaxed dot product of pairs of bytes is exact for full bytes as long as the sums fit 16 bits. */
export const pairsAreExact = (): boolean =>
  loadKernels().pairs_are_exact(64, 255) === 1 && loadKernels().pairs_are_exact(-64, 255) === 1;
