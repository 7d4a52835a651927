/** How many overflow weights qu8_gemm_3x8c4_usdot2.c needs. It decides whether that kernel is worth it, and its panels' size. */
import { type Kernels, PAIRS_REST_BYTES, PAIRS_SUMS_BYTES, PANEL_CHANNELS } from "../../layouts.ts";
import { align, SLACK } from "../../step.ts";
import type { CountOverflow } from "../builder.ts";

/** The number of overflow weights for each eight of K up to which the kernel is faster than qu8_gemm_4x8c2_dot16x2.c. */
const MOST = 0.6;

/** Bytes of memory that counting takes. */
export const countingBytes = (reduction: number): number =>
  PANEL_CHANNELS * reduction + PAIRS_REST_BYTES + PAIRS_SUMS_BYTES + SLACK + 32;

/** Kernels, and in their memory a place to count in: as many bytes as countingBytes() says. */
interface CountingPlace {
  readonly kernels: Kernels;
  readonly buffer: ArrayBufferLike;
  readonly address: number;
}

/** @returns How many overflow weights each panel has; undefined if they are too many for the kernel to be worth it. */
export function countOverflowIn(
  { kernels, buffer, address }: CountingPlace,
  ...[source, { outChannels, reduction, zero }]: Parameters<CountOverflow>
): readonly number[] | undefined {
  const rest = align(address);
  const staging = rest + PAIRS_REST_BYTES + PAIRS_SUMS_BYTES;
  const memory = new Uint8Array(buffer);
  const counts: number[] = [];
  for (let first = 0; first < outChannels; first += PANEL_CHANNELS) {
    const count = Math.min(PANEL_CHANNELS, outChannels - first);
    memory.set(source.bytes.subarray(first * reduction, (first + count) * reduction), staging);
    const flip = source.type === "int8" ? 128 : 0;
    counts.push(kernels.qu8_packw_x8c4_usdot2(staging, 0, rest, rest + PAIRS_REST_BYTES, reduction, count, flip, zero));
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total <= MOST * counts.length * Math.ceil(reduction / 8) ? counts : undefined;
}
