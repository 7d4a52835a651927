/** A step of a plan: which kernel runs with which parameters. Addresses are still names; plan.ts makes them numbers. */
import type { KernelCall, Kernels } from "./layouts.ts";

export { at, type Place, packedAt, scratchAt, type Word } from "./word.ts";

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

export type KernelStep = KernelCall & {
  readonly packed?: Packed;
  /** The bytes of scratch memory that the parameters of place `scratch` point into. */
  readonly scratch?: number;
};

/** What is not worth a kernel: some thousand values at the end of a network. */
export interface HostStep {
  readonly from: number;
  readonly to: number;
  run(buffer: ArrayBufferLike, from: number, to: number): void;
}

export type Step = KernelStep | HostStep;

/** Kernels read and write up to this many bytes behind what is theirs. */
export const SLACK = 64;
export const align = (bytes: number): number => (bytes + 15) & ~15;
