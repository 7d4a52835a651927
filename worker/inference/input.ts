/** What a network is given. */

interface Values {
  /** Quantised ones as integers less their zero point. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** Pixels [height, width, 3] of bytes that become such values. */
interface Pixels {
  readonly pixels: Uint8Array;
  /** What each of the 256 values of a byte becomes: [channel][byte]. */
  readonly levels: Float32Array;
  readonly shape: readonly number[];
}

export type Input = Values | Pixels;

export const LEVELS = 256;
export const CHANNELS = 3;

export function valuesOf(input: Input): Float32Array {
  if ("values" in input) return input.values;
  const { pixels, levels } = input;
  const values = new Float32Array(pixels.length);
  for (let i = 0; i < values.length; i += CHANNELS) {
    values[i] = levels[pixels[i]];
    values[i + 1] = levels[LEVELS + pixels[i + 1]];
    values[i + 2] = levels[2 * LEVELS + pixels[i + 2]];
  }
  return values;
}
