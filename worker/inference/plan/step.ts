/**
 * A step to which an operator is lowered: a call of a kernel or of the host, and its constants. Addresses are still
 * names.
 */
import type { HostCall } from "./host.ts";
import type { KernelCall, Kernels } from "./layouts.ts";

export { at, type Place, packedAt, scratchAt, type Word } from "./word.ts";

/** The resources of packing: kernels, and a place in their memory for their input. */
export interface Packing {
  readonly kernels: Kernels;
  readonly buffer: ArrayBufferLike;
  /** The address of the requested number of bytes. */
  readonly staging: number;
}

/** Constants in the layout that a kernel wants. */
export interface Packed {
  readonly bytes: number;
  /** The bytes of temporary memory that writing needs. */
  readonly staging?: number;
  /** Writes them to `view`, which has `bytes` bytes, is zero, and lies in the kernels' memory. */
  write(view: DataView<ArrayBufferLike>, packing: Packing): void;
}

export type KernelStep = KernelCall & {
  readonly packed?: Packed;
  /** The bytes of scratch memory to which the parameters of place `scratch` point. */
  readonly scratch?: number;
};

export type Step = KernelStep | HostCall;

/** Kernels may read and write up to this many bytes after their data. */
export const SLACK = 64;
/** The alignment of everything in a plan's memory, in bytes. */
export const ALIGNMENT = 16;
export const align = (bytes: number): number => (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
