/**
 * Converts pixels to the network's input values: real numbers, or for quantised inputs integers less the zero point.
 */
import { CHANNELS, LEVELS } from "../inference/input.ts";
import type { InputSpec } from "./inspect.ts";

/** The input value for one pixel value in a channel. */
function normalize(pixel: number, channel: number, { type, quantization, normalization }: InputSpec): number {
  const mean = normalization?.mean[channel] ?? 0;
  const std = normalization?.std[channel] ?? 1;
  // Rounds to float32 after each operation, as NumPy does in the reference implementations.
  const value = Math.fround(Math.fround(pixel - mean) / std);
  if (type === "float32") return value;
  const scale = quantization?.scale[0] ?? 1;
  const zeroPoint = quantization?.zeroPoint[0] ?? 0;
  if (type === "uint8") return pixel - zeroPoint;
  const quantized = normalization === undefined ? pixel - 128 : Math.round(value / scale) + zeroPoint;
  return Math.min(127, Math.max(-128, quantized)) - zeroPoint;
}

/** The input value for each pixel value: [channel][value]. There are only 256 pixel values, so a table suffices. */
export function levelsOf(input: InputSpec): Float32Array {
  const levels = new Float32Array(CHANNELS * LEVELS);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let pixel = 0; pixel < LEVELS; pixel++) levels[channel * LEVELS + pixel] = normalize(pixel, channel, input);
  }
  return levels;
}
