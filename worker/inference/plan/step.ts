/** A step of a plan: which kernel runs with which parameters. Addresses are still names; plan.ts makes them numbers. */
import type { KernelName, Kernels } from "./kernels.ts";

/** Where something lies: a tensor of the graph, the step's packed constants, or scratch memory of all steps. */
export type Place = { readonly tensor: number } | { readonly packed: number } | { readonly scratch: number };

/** Four bytes of a kernel's parameter structure. */
export type Word = number | { readonly f32: number } | Place;

/** What packing may use: kernels, and in their memory a place for what they read. */
export interface Packing {
  readonly kernels: Kernels;
  readonly buffer: ArrayBufferLike;
  /** The address of as many bytes as were asked for. */
  readonly staging: number;
}

/** Constants in the layout that a kernel wants. */
export interface Packed {
  readonly bytes: number;
  /** The bytes of memory that writing needs beside. */
  readonly staging?: number;
  /** Writes them to `view`, which is `bytes` long, zero, and in the kernels' memory. */
  write(view: DataView<ArrayBufferLike>, packing: Packing): void;
}

export interface KernelStep {
  readonly kernel: KernelName;
  readonly words: readonly Word[];
  readonly packed?: Packed;
  /** The bytes of scratch memory that the words of place `scratch` point into. */
  readonly scratch?: number;
}

/** What is not worth a kernel: some thousand values at the end of a network. */
export interface HostStep {
  readonly from: number;
  readonly to: number;
  run(buffer: ArrayBufferLike, from: number, to: number): void;
}

export type Step = KernelStep | HostStep;

export const f32 = (value: number): Word => ({ f32: value });
export const at = (tensor: number): Word => ({ tensor });
export const packedAt = (offset: number): Word => ({ packed: offset });
export const scratchAt = (offset: number): Word => ({ scratch: offset });

/** Kernels read and write up to this many bytes behind what is theirs. */
export const SLACK = 64;
export const align = (bytes: number): number => (bytes + 15) & ~15;
