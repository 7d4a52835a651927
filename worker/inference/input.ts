/** The input of a network. */

interface Values {
  /** The values; quantised ones as integers less their zero point. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** Pixels [height, width, 3] as bytes, from which the values are computed. */
interface Pixels {
  readonly pixels: Uint8Array;
  /** The value for each byte: [channel][byte]. */
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
