/**
 * Weights of uint8 convolutions in the layouts of qu8_gemm_4x8c2_dot16x2.c, qu8_gemm_4x12c4_usdot.c and
 * qu8_gemm_3x8c4_usdot2.c.
 */
import { CHANNELS, OVERFLOW_HEADER, OVERFLOW_WEIGHTS, PANEL_CHANNELS } from "../layouts.ts";
import { align, type Packed, SLACK } from "../step.ts";
import { writeChannels } from "./channels.ts";
import type { Rounding } from "./multiplier.ts";
import { type Later, packPanels, panels, type Source, stage } from "./panels.ts";

export interface ByteMatrix {
  readonly weights: Later<Source>;
  /** The weights' zero point; with 128 added for int8. */
  readonly zero: number;
  readonly bias: Later<Int32Array> | undefined;
  /** Input scale · weight scale / output scale, for each output channel. */
  readonly multipliers: readonly number[];
  readonly rounding: Rounding;
  readonly outChannels: number;
  readonly reduction: number;
}

/** For qu8_gemm_4x8c2_dot16x2.c. */
export function packQu8GemmDot16x2(matrix: ByteMatrix): Packed {
  const { reduction, zero } = matrix;
  const panelBytes = CHANNELS.bytes + 4 * PANEL_CHANNELS * Math.ceil(reduction / 2);
  return packPanels(matrix, panelBytes, (panel, kernels) => {
    writeChannels(panel, matrix, panel.bias);
    const flip = panel.type === "int8" ? 128 : 0;
    kernels.qu8_qs16_packw_x8c2(panel.staged, panel.address + CHANNELS.bytes, reduction, flip, zero);
  });
}

/**
 * Whether a matrix has a pair of weights of −128, as qu8_gemm_4x12c4_usdot.c has them: at 2k and 2k + 1 along K in one
 * output channel.
 */
export function hasLowestPair({ weights, outChannels, reduction }: ByteMatrix): boolean {
  const { bytes, type } = weights();
  const lowest = type === "int8" ? 0x80 : 0;
  for (let channel = 0; channel < outChannels; channel++) {
    for (let k = 1; k < reduction; k += 2) {
      const at = channel * reduction + k;
      if (bytes[at] === lowest && bytes[at - 1] === lowest) return true;
    }
  }
  return false;
}

/** For qu8_gemm_4x12c4_usdot.c. @param inputZero The zero point of the bytes that are multiplied. */
export function packQu8GemmUsdot(matrix: ByteMatrix, inputZero: number): Packed {
  const { reduction, zero } = matrix;
  // A weight is the stored int8 value plus 128, so this is the zero point of the stored values.
  const weightsZero = zero - 128;
  const panelBytes = CHANNELS.bytes + PANEL_CHANNELS * Math.ceil(reduction / 4) * 4;
  return packPanels(matrix, panelBytes, (panel, kernels) => {
    const { view, byte, address } = panel;
    const flip = panel.type === "uint8" ? 128 : 0;
    // The kernel stores the sums where the biases will be.
    kernels.qu8_packw_x8c4_usdot(panel.staged, address, address + CHANNELS.bytes, reduction, flip);
    // Σ(a − za)(w − zw) = Σa·w − zw·Σa − za·Σw + K·za·zw; the kernel computes the first two terms.
    writeChannels(
      panel,
      matrix,
      (i) => panel.bias(i) - inputZero * CHANNELS.bias.get(view, byte, i) + reduction * inputZero * weightsZero,
    );
  });
}

/**
 * For qu8_gemm_3x8c4_usdot2.c.
 *
 * @param overflow The number of overflow weights of each panel. @param inputZero The input's zero point.
 */
export function packQu8GemmUsdot2(matrix: ByteMatrix, overflow: readonly number[], inputZero: number): Packed {
  const { outChannels, reduction, zero, ...later } = matrix;
  const weightBytes = PANEL_CHANNELS * Math.ceil(reduction / 8) * 8;
  const panelBytes = overflow.map(
    (count) => CHANNELS.bytes + OVERFLOW_HEADER.bytes + weightBytes + OVERFLOW_WEIGHTS.bytes * count,
  );
  // Scratch behind the staged weights: what is left of eight weights of each channel, and the channels' sums.
  const scratch = align(4 * PANEL_CHANNELS * reduction + SLACK);
  return {
    bytes: panelBytes.reduce((sum, bytes) => sum + bytes, 0) + OVERFLOW_WEIGHTS.bytes,
    staging: scratch + 256,
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      const flip = weights.type === "int8" ? 128 : 0;
      const rest = packing.staging + scratch;
      let byte = 0;
      panels(outChannels, 0, (_, first, count) => {
        const from = stage(packing, weights, first, count, reduction);
        const sums = view.byteOffset + byte;
        packing.kernels.qu8_packw_x8c4_usdot2(from, sums + CHANNELS.bytes, rest, sums, reduction, count, flip, zero);
        const biasOf = (i: number) => (bias?.[first + i] ?? 0) - inputZero * CHANNELS.bias.get(view, byte, i);
        writeChannels({ view, byte, first, count }, matrix, biasOf);
        byte += panelBytes[first / PANEL_CHANNELS];
      });
    },
  };
}
