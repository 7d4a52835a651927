/** Weights in the layouts that the kernels want; each is described at the head of the kernel's file. */
import type { Tensor } from "../../tflite/graph.ts";
import { bytesOf } from "../constants.ts";
import { fixedPoint, requantization } from "./multiplier.ts";
import type { Packed } from "./step.ts";

/** Columns of a panel. */
export const COLUMNS = 8;
/** sizeof(struct Channels): a bias, and three doubles for each of eight channels. */
export const CHANNELS_BYTES = 8 * 4 + 3 * 8 * 8;
/** Steps in which conv_f32_i16.c quantises activations, to either side. */
const STEPS = 4095;
/** The largest value of an int16 tensor. */
const SHORT_STEPS = 8191;

/** Gives values when they are packed and not before, so that no more than one operator's are unpacked at a time. */
export type Later<T> = () => T;

/** The units of a float convolution's input and output: 1, or their step where they are int16. */
export interface Steps {
  readonly input: number;
  readonly output: number;
  readonly short: { readonly input: boolean; readonly output: boolean };
}

/** Weights of a convolution as a matrix, and what is added to each column. */
export interface FloatMatrix {
  /** [columns, depth] */
  readonly weights: Later<Float32Array>;
  readonly bias: Later<Float32Array> | undefined;
  readonly steps: Steps;
  readonly columns: number;
  readonly depth: number;
}

/** A bias in the output's steps; truncation of what has half a step more is rounding. */
const biasIn = ({ output, short }: Steps, bias = 0): number => bias / output + (short.output ? 0.5 : 0);

/**
 * Where halves go in the second rounding of negative sums: away from zero, but up in TFLite's matrix product of int8
 * (ruy), which its reference kernels do not do.
 */
export type Rounding = "away" | "up";

export interface ByteMatrix {
  /** [columns, depth], less their zero point: −255..255. */
  readonly weights: Later<Int32Array>;
  readonly bias: Later<Int32Array> | undefined;
  /** Input scale · weight scale / output scale, of each column. */
  readonly multipliers: readonly number[];
  readonly rounding: Rounding;
  readonly columns: number;
  readonly depth: number;
}

/** The integers of a constant of type uint8, int8 or int32, less `zero`. */
export function integersOf(tensor: Tensor, zero = 0): Int32Array<ArrayBuffer> {
  const { view, type, length } = bytesOf(tensor);
  return Int32Array.from({ length }, (_, i) => {
    const value = type === "int32" ? view.getInt32(4 * i, true) : type === "uint8" ? view.getUint8(i) : view.getInt8(i);
    return value - zero;
  });
}

/** Calls `write` for each panel: its first byte, its first column and how many columns it has. */
function panels(columns: number, bytes: number, write: (byte: number, first: number, count: number) => void): void {
  for (let first = 0; first < columns; first += COLUMNS) {
    write((first / COLUMNS) * bytes, first, Math.min(COLUMNS, columns - first));
  }
}

/** For conv_f32.c. */
export function packFloats({ columns, depth, ...later }: FloatMatrix): Packed {
  const panelBytes = 4 * COLUMNS * (1 + depth);
  return {
    bytes: Math.ceil(columns / COLUMNS) * panelBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        const panel = new Float32Array(view.buffer, view.byteOffset + byte, COLUMNS * (1 + depth));
        for (let column = 0; column < count; column++) {
          panel[column] = bias?.[first + column] ?? 0;
          const from = (first + column) * depth;
          for (let k = 0; k < depth; k++) panel[COLUMNS * (1 + k) + column] = weights[from + k];
        }
      });
    },
  };
}

/**
 * The step of a column's weights with which no sum of products comes to 2^31: the activations are within ±STEPS, or
 * within 0..SHORT_STEPS, so that only weights of one sign add up.
 */
function stepOf(column: Float32Array, short: boolean): number {
  let [positive, negative, largest] = [0, 0, 0];
  for (const weight of column) {
    if (weight > 0) positive += weight;
    else negative -= weight;
    largest = Math.max(largest, Math.abs(weight));
  }
  const sum = short ? Math.max(positive, negative) : positive + negative;
  // Rounding may add half a step to each.
  const room = Math.floor((2 ** 31 - 1) / (short ? SHORT_STEPS : STEPS)) - column.length / 2 - 1;
  return Math.max(largest / 32767, sum / room, Number.MIN_VALUE);
}

/** The deepest matrix for which stepOf leaves room. */
export const DEEPEST_I16 = 2 ** 17;

/** For conv_f32_i16.c. */
export function packFloatsAsI16({ columns, depth, steps, ...later }: FloatMatrix): Packed {
  const pairs = Math.ceil(depth / 2);
  const panelBytes = 4 * 2 * COLUMNS + 4 * COLUMNS * pairs;
  return {
    bytes: Math.ceil(columns / COLUMNS) * panelBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        const head = new Float32Array(view.buffer, view.byteOffset + byte, 2 * COLUMNS);
        const panel = new Int16Array(view.buffer, view.byteOffset + byte + 8 * COLUMNS, 2 * COLUMNS * pairs);
        for (let column = 0; column < count; column++) {
          const values = weights.subarray((first + column) * depth, (first + column + 1) * depth);
          const step = stepOf(values, steps.short.input);
          head[column] = biasIn(steps, bias?.[first + column]);
          head[COLUMNS + column] = (step * steps.input) / steps.output;
          for (let k = 0; k < depth; k++) {
            panel[(k >> 1) * 2 * COLUMNS + 2 * column + (k & 1)] = Math.round(values[k] / step);
          }
        }
      });
    },
  };
}

/** Writes `struct Channels` for `count` of eight channels. */
function writeChannels(
  view: DataView<ArrayBufferLike>,
  byte: number,
  count: number,
  rounding: Rounding,
  channel: (i: number) => { bias: number; multiplier: number },
): void {
  for (let i = 0; i < count; i++) {
    const { bias, multiplier } = channel(i);
    const { m, c, n } = requantization(fixedPoint(multiplier));
    view.setInt32(byte + 4 * i, bias, true);
    view.setFloat64(byte + 32 + 8 * i, m, true);
    view.setFloat64(byte + 96 + 8 * i, c, true);
    view.setFloat64(byte + 160 + 8 * i, rounding === "up" ? 0 : n, true);
  }
}

/** For conv_u8_wide.c. */
export function packBytesAsI16({ multipliers, rounding, columns, depth, ...later }: ByteMatrix): Packed {
  const pairs = Math.ceil(depth / 2);
  const panelBytes = CHANNELS_BYTES + 4 * COLUMNS * pairs;
  return {
    bytes: Math.ceil(columns / COLUMNS) * panelBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        writeChannels(view, byte, count, rounding, (i) => ({
          bias: bias?.[first + i] ?? 0,
          multiplier: multipliers[first + i],
        }));
        const panel = new Int16Array(view.buffer, view.byteOffset + byte + CHANNELS_BYTES, 2 * COLUMNS * pairs);
        for (let column = 0; column < count; column++) {
          const from = (first + column) * depth;
          for (let k = 0; k < depth; k++) {
            panel[(k >> 1) * 2 * COLUMNS + 2 * column + (k & 1)] = weights[from + k];
          }
        }
      });
    },
  };
}

/**
 * For conv_u8_dot.c.
 *
 * @param weightsZero The weights' zero point less what makes them signed: they are stored as weight + weightsZero.
 * @param inputZero The input's zero point.
 */
export function packBytesForDot(matrix: ByteMatrix, weightsZero: number, inputZero: number): Packed {
  const { multipliers, rounding, columns, depth, ...later } = matrix;
  const filled = Math.ceil(depth / 4) * 4;
  const panelBytes = CHANNELS_BYTES + COLUMNS * filled;
  return {
    bytes: Math.ceil(columns / COLUMNS) * panelBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        const panel = new Int8Array(view.buffer, view.byteOffset + byte + CHANNELS_BYTES, COLUMNS * filled);
        const sums = new Int32Array(COLUMNS);
        for (let column = 0; column < count; column++) {
          const from = (first + column) * depth;
          for (let k = 0; k < depth; k++) {
            panel[(k >> 2) * 4 * COLUMNS + 4 * column + (k & 3)] = weights[from + k] + weightsZero;
            sums[column] += weights[from + k] + weightsZero;
          }
        }
        // Σ(a − za)(w − zw) = Σa·w − zw·Σa − za·Σw + depth·za·zw; the kernel sees to the first two.
        writeChannels(view, byte, count, rounding, (i) => ({
          bias: (bias?.[first + i] ?? 0) - inputZero * sums[i] + depth * inputZero * weightsZero,
          multiplier: multipliers[first + i],
        }));
      });
    },
  };
}

/** For depthwise_f32.c. @param weights [taps, channels] */
export function packDepthwiseFloats(
  { steps, ...later }: Pick<FloatMatrix, "weights" | "bias" | "steps">,
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

/** For depthwise_u8.c. @param weights [taps, channels], less their zero point */
export function packDepthwiseBytes(
  later: Pick<ByteMatrix, "weights" | "bias">,
  multipliers: readonly number[],
  taps: number,
): Packed {
  const channels = multipliers.length;
  const pairs = Math.ceil(taps / 2);
  const vectorBytes = CHANNELS_BYTES + 32 * pairs;
  return {
    bytes: Math.ceil(channels / 8) * vectorBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(channels, vectorBytes, (byte, first, count) => {
        writeChannels(view, byte, count, "away", (i) => ({
          bias: bias?.[first + i] ?? 0,
          multiplier: multipliers[first + i],
        }));
        const to = new Int16Array(view.buffer, view.byteOffset + byte + CHANNELS_BYTES, 16 * pairs);
        for (let i = 0; i < count; i++) {
          for (let tap = 0; tap < taps; tap++) {
            to[(tap >> 1) * 16 + 2 * i + (tap & 1)] = weights[tap * channels + first + i];
          }
        }
      });
    },
  };
}
