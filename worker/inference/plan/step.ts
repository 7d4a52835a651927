/** A step as an operator is lowered to it: a call of a kernel or of the host, and its constants. Addresses are still names. */
import type { HostCall } from "./host.ts";
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

export type Step = KernelStep | HostCall;

/** Kernels read and write up to this many bytes behind what is theirs. */
export const SLACK = 64;
/** Alignment of everything in a plan's memory, in bytes. */
export const ALIGNMENT = 16;
export const align = (bytes: number): number => (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
