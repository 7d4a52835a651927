/**
 * Weights of depthwise convolutions in the layouts of f32_dwconv_7x4_fma.c, qu8_dwconv_2x8c2_dot16x2.c and
 * qu8_dwconv_2x4x4c4_usdot.c.
 */
import { CHANNELS, DEPTHWISE_PANEL, DOT_TAPS, PANEL_CHANNELS } from "../layouts.ts";
import type { Packed } from "../step.ts";
import { writeChannels } from "./channels.ts";
import { biasIn, type FloatMatrix } from "./f32.ts";
import type { Rounding } from "./multiplier.ts";
import { type Later, panels } from "./panels.ts";

/** For f32_dwconv_7x4_fma.c. @param weights [taps, channels] */
export function packF32Dwconv(
  { steps, ...later }: Pick<FloatMatrix, "bias" | "steps"> & { weights: Later<Float32Array> },
  taps: number,
  channels: number,
): Packed {
  const vectors = Math.ceil(channels / 4);
  return {
    bytes: 16 * vectors * (1 + taps),
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      const to = new Float32Array(view.buffer, view.byteOffset, 4 * vectors * (1 + taps));
      const scale = steps.input / steps.output;
      for (let channel = 0; channel < channels; channel++) {
        const start = (channel >> 2) * 4 * (1 + taps) + (channel & 3);
        to[start] = biasIn(steps, bias?.[channel]);
        for (let tap = 0; tap < taps; tap++) to[start + 4 * (1 + tap)] = weights[tap * channels + channel] * scale;
      }
    },
  };
}

/**
 * How TFLite's optimised depthwise convolution rounds: for int8 it computes eight channels at a time with instructions
 * that round halves up; the remaining channels, and all channels of uint8, are computed one by one.
 */
export const depthwiseRounding = (ups: boolean, channel: number, channels: number): Rounding =>
  ups && channel < channels - (channels % 8) ? "up" : "away";

/** Weights of a depthwise convolution, less their zero point: [kernel height, kernel width, channels]. */
export interface DepthwiseBytes {
  readonly weights: Later<Int32Array>;
  readonly bias: Later<Int32Array> | undefined;
  /** Whether TFLite rounds halves up where it computes eight channels at a time: in int8, unless it is a grouped convolution. */
  readonly ups: boolean;
}

/** For qu8_dwconv_2x8c2_dot16x2.c. */
export function packQu8DwconvDot16x2(
  { ups, ...later }: DepthwiseBytes,
  multipliers: readonly number[],
  taps: number,
): Packed {
  const channels = multipliers.length;
  const pairs = Math.ceil(taps / 2);
  const vectorBytes = CHANNELS.bytes + 32 * pairs;
  return {
    bytes: Math.ceil(channels / 8) * vectorBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(channels, vectorBytes, (byte, first, count) => {
        const rounding = depthwiseRounding(ups, first, channels);
        writeChannels({ view, byte, first, count }, { multipliers, rounding }, (i) => bias?.[first + i] ?? 0);
        const to = new Int16Array(view.buffer, view.byteOffset + byte + CHANNELS.bytes, 16 * pairs);
        for (let i = 0; i < count; i++) {
          for (let tap = 0; tap < taps; tap++) {
            to[(tap >> 1) * 16 + 2 * i + (tap & 1)] = weights[tap * channels + first + i];
          }
        }
      });
    },
  };
}

/** Splits a weight into two int8 values that are at least `least`: as much as fits into the first, and the rest. */
const parted = (weight: number, least: number): readonly [number, number] => {
  const first = Math.min(127, Math.max(least, weight));
  return [first, weight - first];
};

/** Whether all weights, less their zero point, can be split into two int8 values that are at least `least`. */
export const canBeParted = (weights: Int32Array, least: number): boolean =>
  weights.every((weight) => weight >= 2 * least && weight <= 254);

/**
 * For qu8_dwconv_2x4x4c4_usdot.c.
 *
 * @param inputZero The zero point of the bytes that are multiplied.
 * @param least The least weight that is multiplied.
 */
export function packQu8DwconvUsdot(
  { ups, ...later }: DepthwiseBytes,
  multipliers: readonly number[],
  [height, width]: readonly [number, number],
  inputZero: number,
  least: number,
): Packed {
  const channels = multipliers.length;
  const rowBytes = 16 * Math.ceil(width / DOT_TAPS);
  const partBytes = 2 * height * rowBytes;
  const panelBytes = DEPTHWISE_PANEL.bytes + 2 * partBytes;
  return {
    bytes: Math.ceil(channels / PANEL_CHANNELS) * panelBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(channels, panelBytes, (byte, first, count) => {
        const sums = new Int32Array(PANEL_CHANNELS);
        let parts = 1;
        for (let tap = 0; tap < height * width; tap++) {
          const [y, x] = [Math.floor(tap / width), tap % width];
          for (let i = 0; i < count; i++) {
            const weight = weights[tap * channels + first + i];
            const at =
              ((i >> 2) * height + y) * rowBytes + 16 * Math.floor(x / DOT_TAPS) + DOT_TAPS * (i & 3) + (x % DOT_TAPS);
            const [own, rest] = parted(weight, least);
            DEPTHWISE_PANEL.weights.set(view, byte, own, at);
            DEPTHWISE_PANEL.weights.set(view, byte, rest, partBytes + at);
            sums[i] += weight;
            if (rest !== 0) parts = 2;
          }
        }
        DEPTHWISE_PANEL.parts.set(view, byte, parts);
        const rounding = depthwiseRounding(ups, first, channels);
        const biasOf = (i: number) => (bias?.[first + i] ?? 0) - inputZero * sums[i];
        writeChannels({ view, byte, first, count }, { multipliers, rounding }, biasOf);
      });
    },
  };
}
