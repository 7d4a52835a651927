/**
 * Weights of float convolutions in the layouts of f32_gemm_4x8_fma.c, qd16_f32_gemm_4x8c2_dot16x2.c and
 * qd16_f32_gemm_4x8c2_strassen.c.
 */
import { HEAD, I16_STEPS, PANEL_COLUMNS } from "../layouts.ts";
import type { Packed } from "../step.ts";
import { type Later, panels, type Source, stage, stagingOf } from "./panels.ts";

/** The largest value of an int16 tensor. */
const SHORT_STEPS = 8191;

/** The units of an f32 convolution's input and output: 1, or their step if they are int16. */
export interface Steps {
  readonly input: number;
  readonly output: number;
  readonly short: { readonly input: boolean; readonly output: boolean };
}

/** The weights of a convolution as a matrix, and the bias of each output channel. */
export interface FloatMatrix {
  readonly weights: Later<Source>;
  readonly bias: Later<Float32Array> | undefined;
  readonly steps: Steps;
  readonly columns: number;
  readonly depth: number;
}

/** A bias in the output's steps; with half a step added, truncation becomes rounding. */
export const biasIn = ({ output, short }: Steps, bias = 0): number => bias / output + (short.output ? 0.5 : 0);

/** For f32_gemm_4x8_fma.c. */
export function packF32Gemm({ columns, depth, ...later }: FloatMatrix): Packed {
  const panelBytes = 4 * PANEL_COLUMNS * (1 + depth);
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        for (let i = 0; i < count; i++) view.setFloat32(byte + 4 * i, bias?.[first + i] ?? 0, true);
        const from = stage(packing, weights, first, count, depth);
        packing.kernels.f32_packw_x8(from, view.byteOffset + byte + 4 * PANEL_COLUMNS, depth);
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
export function packQd16Gemm({ columns, depth, steps, ...later }: FloatMatrix, limit = LARGEST_I16): Packed {
  const pairs = Math.ceil(depth / 2);
  const panelBytes = HEAD.bytes + 4 * PANEL_COLUMNS * pairs;
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      const { short } = steps;
      panels(columns, panelBytes, (byte, first, count) => {
        for (let i = 0; i < count; i++) HEAD.bias.set(view, byte, biasIn(steps, bias?.[first + i]), i);
        const from = stage(packing, weights, first, count, depth);
        const head = view.byteOffset + byte;
        const largest = short.input ? SHORT_STEPS : I16_STEPS;
        const factor = steps.input / steps.output;
        packing.kernels.f32_qs16_packw_x8c2(
          from,
          head + HEAD.scale.offset,
          head + HEAD.bytes,
          depth,
          limit,
          largest,
          short.input ? 1 : 0,
          factor,
        );
      });
    },
  };
}
