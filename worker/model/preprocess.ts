/** Pixels to the numbers that the network takes: real ones, or for quantised inputs integers less the zero point. */
import type { InputSpec } from "./inspect.ts";

const LEVELS = 256;

/** What one pixel value becomes in a channel. */
function normalize(pixel: number, channel: number, { type, quantization, normalization }: InputSpec): number {
  const mean = normalization?.mean[channel] ?? 0;
  const std = normalization?.std[channel] ?? 1;
  // float32 step by step, as NumPy does it in the reference implementations.
  const value = Math.fround(Math.fround(pixel - mean) / std);
  if (type === "float32") return value;
  const scale = quantization?.scale[0] ?? 1;
  const zeroPoint = quantization?.zeroPoint[0] ?? 0;
  if (type === "uint8") return pixel - zeroPoint;
  const quantized = normalization === undefined ? pixel - 128 : Math.round(value / scale) + zeroPoint;
  return Math.min(127, Math.max(-128, quantized)) - zeroPoint;
}

/**
 * Makes the function that turns pixels into the input of a network. There are only 256 pixel values, so that a table
 * does what would be a division for each.
 *
 * @returns A function of pixels [height, width, 3], 0..255, to numbers of the same layout. Each call fills the same
 *   array again: the 600 KB of a 224×224 input would be most of what a request leaves to the garbage collector.
 */
export function preprocessor(input: InputSpec): (pixels: Uint8Array) => Float32Array<ArrayBuffer> {
  const table = new Float32Array(3 * LEVELS);
  for (let pixel = 0; pixel < LEVELS; pixel++) {
    for (let channel = 0; channel < 3; channel++) table[channel * LEVELS + pixel] = normalize(pixel, channel, input);
  }
  const values = new Float32Array(input.height * input.width * 3);
  return (pixels) => {
    for (let i = 0; i < values.length; i += 3) {
      values[i] = table[pixels[i]];
      values[i + 1] = table[LEVELS + pixels[i + 1]];
      values[i + 2] = table[2 * LEVELS + pixels[i + 2]];
    }
    return values;
  };
}
