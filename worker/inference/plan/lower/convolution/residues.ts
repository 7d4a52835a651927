/** How many residues qu8_gemm_3x8c4_usdot2.c would need: that decides whether it is worth it, and how large its panels are. */
import { type Kernels, PAIRS_REST_BYTES, PAIRS_SUMS_BYTES, PANEL_COLUMNS } from "../../layouts.ts";
import { align, SLACK } from "../../step.ts";
import type { CountResidues } from "../builder.ts";

/** Residues for each eight of the depth up to which the kernel is faster than qu8_gemm_4x8c2_dot16x2.c. */
const MOST = 0.6;

/** Bytes of memory that counting takes. */
export const countingBytes = (depth: number): number =>
  PANEL_COLUMNS * depth + PAIRS_REST_BYTES + PAIRS_SUMS_BYTES + SLACK + 32;

/** Kernels, and in their memory a place to count in: as many bytes as countingBytes() says. */
interface CountingPlace {
  readonly kernels: Kernels;
  readonly buffer: ArrayBufferLike;
  readonly address: number;
}

/** @returns How many residues each panel has; undefined if they are too many for the kernel to be worth it. */
export function countResiduesIn(
  { kernels, buffer, address }: CountingPlace,
  ...[source, { columns, depth, zero }]: Parameters<CountResidues>
): readonly number[] | undefined {
  const rest = align(address);
  const staging = rest + PAIRS_REST_BYTES + PAIRS_SUMS_BYTES;
  const memory = new Uint8Array(buffer);
  const counts: number[] = [];
  for (let first = 0; first < columns; first += PANEL_COLUMNS) {
    const count = Math.min(PANEL_COLUMNS, columns - first);
    memory.set(source.bytes.subarray(first * depth, (first + count) * depth), staging);
    const flip = source.type === "int8" ? 128 : 0;
    counts.push(kernels.qu8_packw_x8c4_usdot2(staging, 0, rest, rest + PAIRS_REST_BYTES, depth, count, flip, zero));
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total <= MOST * counts.length * Math.ceil(depth / 8) ? counts : undefined;
}
