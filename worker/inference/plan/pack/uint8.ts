/**
 * Weights of uint8 convolutions in the layouts of qu8_gemm_4x8c2_dot16x2.c, qu8_gemm_4x12c4_usdot.c and
 * qu8_gemm_3x8c4_usdot2.c.
 */
import { CHANNELS, PANEL_COLUMNS, RESIDUE, RESIDUES } from "../layouts.ts";
import { align, type Packed, SLACK } from "../step.ts";
import { writeChannels } from "./channels.ts";
import type { Rounding } from "./multiplier.ts";
import { type Later, panels, type Source, stage, stagingOf } from "./panels.ts";

export interface ByteMatrix {
  readonly weights: Later<Source>;
  /** The weights' zero point; with 128 added for int8. */
  readonly zero: number;
  readonly bias: Later<Int32Array> | undefined;
  /** Input scale · weight scale / output scale, for each output channel. */
  readonly multipliers: readonly number[];
  readonly rounding: Rounding;
  readonly columns: number;
  readonly depth: number;
}

/** For qu8_gemm_4x8c2_dot16x2.c. */
export function packQu8GemmDot16x2({ multipliers, rounding, columns, depth, zero, ...later }: ByteMatrix): Packed {
  const pairs = Math.ceil(depth / 2);
  const panelBytes = CHANNELS.bytes + 4 * PANEL_COLUMNS * pairs;
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        writeChannels(view, byte, count, rounding, (i) => ({
          bias: bias?.[first + i] ?? 0,
          multiplier: multipliers[first + i],
        }));
        const from = stage(packing, weights, first, count, depth);
        const to = view.byteOffset + byte + CHANNELS.bytes;
        packing.kernels.qu8_qs16_packw_x8c2(from, to, depth, weights.type === "int8" ? 128 : 0, zero);
      });
    },
  };
}

/** For qu8_gemm_4x12c4_usdot.c. @param inputZero The input's zero point. */
export function packQu8GemmUsdot(matrix: ByteMatrix, inputZero: number): Packed {
  const { multipliers, rounding, columns, depth, zero, ...later } = matrix;
  // A weight is the stored int8 value plus 128, so this is the zero point of the stored values.
  const weightsZero = zero - 128;
  const panelBytes = CHANNELS.bytes + PANEL_COLUMNS * Math.ceil(depth / 4) * 4;
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        const from = stage(packing, weights, first, count, depth);
        // The sums are stored where the biases will be.
        const sums = view.byteOffset + byte;
        packing.kernels.qu8_packw_x8c4_usdot(
          from,
          sums,
          sums + CHANNELS.bytes,
          depth,
          weights.type === "uint8" ? 128 : 0,
        );
        // Σ(a − za)(w − zw) = Σa·w − zw·Σa − za·Σw + depth·za·zw; the kernel computes the first two terms.
        writeChannels(view, byte, count, rounding, (i) => ({
          bias:
            (bias?.[first + i] ?? 0) - inputZero * CHANNELS.bias.get(view, byte, i) + depth * inputZero * weightsZero,
          multiplier: multipliers[first + i],
        }));
      });
    },
  };
}

/** For qu8_gemm_3x8c4_usdot2.c. @param residues The number for each panel. @param inputZero The input's zero point. */
export function packQu8GemmUsdot2(matrix: ByteMatrix, residues: readonly number[], inputZero: number): Packed {
  const { multipliers, rounding, columns, depth, zero, ...later } = matrix;
  const weightBytes = PANEL_COLUMNS * Math.ceil(depth / 8) * 8;
  const panelBytes = residues.map((count) => CHANNELS.bytes + RESIDUES.bytes + weightBytes + RESIDUE.bytes * count);
  // Behind the weights that are staged: what is left of eight of each column, and the columns' sums.
  const scratch = align(4 * PANEL_COLUMNS * depth + SLACK);
  return {
    bytes: panelBytes.reduce((sum, bytes) => sum + bytes, 0) + RESIDUE.bytes,
    staging: scratch + 256,
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      const flip = weights.type === "int8" ? 128 : 0;
      const rest = packing.staging + scratch;
      let byte = 0;
      panels(columns, 0, (_, first, count) => {
        const from = stage(packing, weights, first, count, depth);
        const sums = view.byteOffset + byte;
        packing.kernels.qu8_packw_x8c4_usdot2(from, sums + CHANNELS.bytes, rest, sums, depth, count, flip, zero);
        writeChannels(view, byte, count, rounding, (i) => ({
          bias: (bias?.[first + i] ?? 0) - inputZero * CHANNELS.bias.get(view, byte, i),
          multiplier: multipliers[first + i],
        }));
        byte += panelBytes[first / PANEL_COLUMNS];
      });
    },
  };
}
