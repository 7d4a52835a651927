/**
 * Weights of float convolutions in the layouts of f32_gemm_4x8_fma.c, qd16_f32_gemm_4x8c2_dot16x2.c and
 * qd16_f32_gemm_4x8c2_strassen.c.
 */
import { HEAD, I16_STEPS, PANEL_CHANNELS } from "../layouts.ts";
import type { Packed } from "../step.ts";
import { type Later, packPanels, type Source } from "./panels.ts";

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
export function packF32Gemm(matrix: FloatMatrix): Packed {
  const { reduction } = matrix;
  const biasBytes = 4 * PANEL_CHANNELS;
  return packPanels(matrix, biasBytes * (1 + reduction), ({ view, byte, address, count, staged, bias }, kernels) => {
    for (let i = 0; i < count; i++) view.setFloat32(byte + 4 * i, bias(i), true);
    kernels.f32_packw_x8(staged, address + biasBytes, reduction);
  });
}

/** The largest reduction dimension (K) for which stepOf leaves headroom. */
export const DEEPEST_I16 = 2 ** 17;

const LARGEST_I16 = 2 ** 15 - 1;

/**
 * For qd16_f32_gemm_4x8c2_dot16x2.c and qd16_f32_gemm_4x8c2_strassen.c.
 *
 * @param limit What no weight is beyond, in steps.
 */
export function packQd16Gemm(matrix: FloatMatrix, limit = LARGEST_I16): Packed {
  const { steps, reduction } = matrix;
  const panelBytes = HEAD.bytes + 4 * PANEL_CHANNELS * Math.ceil(reduction / 2);
  const largest = steps.int16.input ? INT16_STEPS : I16_STEPS;
  const oneSign = steps.int16.input ? 1 : 0;
  const factor = steps.input / steps.output;
  return packPanels(matrix, panelBytes, ({ view, byte, address, count, staged, bias }, kernels) => {
    for (let i = 0; i < count; i++) HEAD.bias.set(view, byte, biasIn(steps, bias(i)), i);
    const scales = address + HEAD.scale.offset;
    kernels.f32_qs16_packw_x8c2(staged, scales, address + HEAD.bytes, reduction, limit, largest, oneSign, factor);
  });
}
