/**
 * Weights of float convolutions in the layouts of f32_gemm_4x8_fma.c, qd16_f32_gemm_4x8c2_dot16x2.c and
 * qd16_f32_gemm_4x8c2_strassen.c.
 */
import { HEAD, I16_STEPS, PANEL_CHANNELS } from "../layouts.ts";
import type { Packed } from "../step.ts";
import { type Later, panels, type Source, stage, stagingOf } from "./panels.ts";

/** The largest value of an int16 tensor. */
const INT16_STEPS = 8191;

/** The units of an f32 convolution's input and output: 1, or their step if they are int16. */
export interface Steps {
  readonly input: number;
  readonly output: number;
  readonly int16: { readonly input: boolean; readonly output: boolean };
}

/** The weights of a convolution as a matrix, and the bias of each output channel. */
export interface FloatMatrix {
  readonly weights: Later<Source>;
  readonly bias: Later<Float32Array> | undefined;
  readonly steps: Steps;
  readonly outChannels: number;
  readonly reduction: number;
}

/** A bias in the output's steps; with half a step added, truncation becomes rounding. */
export const biasIn = ({ output, int16 }: Steps, bias = 0): number => bias / output + (int16.output ? 0.5 : 0);

/** For f32_gemm_4x8_fma.c. */
export function packF32Gemm({ outChannels, reduction, ...later }: FloatMatrix): Packed {
  const panelBytes = 4 * PANEL_CHANNELS * (1 + reduction);
  return {
    bytes: Math.ceil(outChannels / PANEL_CHANNELS) * panelBytes,
    staging: stagingOf(reduction),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(outChannels, panelBytes, (byte, first, count) => {
        for (let i = 0; i < count; i++) view.setFloat32(byte + 4 * i, bias?.[first + i] ?? 0, true);
        const from = stage(packing, weights, first, count, reduction);
        packing.kernels.f32_packw_x8(from, view.byteOffset + byte + 4 * PANEL_CHANNELS, reduction);
      });
    },
  };
}

/** The largest reduction dimension (K) for which stepOf leaves headroom. */
export const DEEPEST_I16 = 2 ** 17;

const LARGEST_I16 = 2 ** 15 - 1;

/**
 * For qd16_f32_gemm_4x8c2_dot16x2.c and qd16_f32_gemm_4x8c2_strassen.c.
 *
 * @param limit What no weight is beyond, in steps.
 */
export function packQd16Gemm({ outChannels, reduction, steps, ...later }: FloatMatrix, limit = LARGEST_I16): Packed {
  const pairs = Math.ceil(reduction / 2);
  const panelBytes = HEAD.bytes + 4 * PANEL_CHANNELS * pairs;
  return {
    bytes: Math.ceil(outChannels / PANEL_CHANNELS) * panelBytes,
    staging: stagingOf(reduction),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      const { int16 } = steps;
      panels(outChannels, panelBytes, (byte, first, count) => {
        for (let i = 0; i < count; i++) HEAD.bias.set(view, byte, biasIn(steps, bias?.[first + i]), i);
        const from = stage(packing, weights, first, count, reduction);
        const head = view.byteOffset + byte;
        const largest = int16.input ? INT16_STEPS : I16_STEPS;
        const factor = steps.input / steps.output;
        packing.kernels.f32_qs16_packw_x8c2(
          from,
          head + HEAD.scale.offset,
          head + HEAD.bytes,
          reduction,
          limit,
          largest,
          int16.input ? 1 : 0,
          factor,
        );
      });
    },
  };
}
