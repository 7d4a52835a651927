/** Weights in the layouts that the kernels want; each is described at the head of the kernel's file. */
import type { Tensor } from "../../tflite/graph.ts";
import { bytesOf } from "../constants.ts";
import { fixedPoint } from "../fixed-point.ts";
import { CHANNELS, DEPTHWISE_PANEL, DOT_TAPS, HEAD, I16_STEPS, PANEL_COLUMNS, RESIDUE, RESIDUES } from "./layouts.ts";
import { type Rounding, requantization } from "./multiplier.ts";
import { align, type Packed, type Packing, SLACK } from "./step.ts";

/** The largest value of an int16 tensor. */
const SHORT_STEPS = 8191;

export type { Rounding } from "./multiplier.ts";

/** Weights as the file has them, [columns, depth]. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly type: "float32" | "float16" | "uint8" | "int8";
}

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
  readonly weights: Later<Source>;
  readonly bias: Later<Float32Array> | undefined;
  readonly steps: Steps;
  readonly columns: number;
  readonly depth: number;
}

/** A bias in the output's steps; truncation of what has half a step more is rounding. */
const biasIn = ({ output, short }: Steps, bias = 0): number => bias / output + (short.output ? 0.5 : 0);

export interface ByteMatrix {
  readonly weights: Later<Source>;
  /** The weights' zero point; with 128 added for int8. */
  readonly zero: number;
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
  for (let first = 0; first < columns; first += PANEL_COLUMNS) {
    write((first / PANEL_COLUMNS) * bytes, first, Math.min(PANEL_COLUMNS, columns - first));
  }
}

const ELEMENT = { float32: 4, float16: 2, uint8: 1, int8: 1 };

/** Bytes that staging eight columns of a matrix takes: as the file has them, and as floats. */
const stagingOf = (depth: number): number => 2 * align(4 * PANEL_COLUMNS * depth + SLACK);

/** Copies `count` columns from `first` on into the heap. @returns Their address, as floats if they are any kind of those. */
function stage({ kernels, buffer, staging }: Packing, source: Source, first: number, count: number, depth: number) {
  const bytes = ELEMENT[source.type] * depth;
  const target = new Uint8Array(buffer, staging, PANEL_COLUMNS * bytes);
  target.set(source.bytes.subarray(first * bytes, (first + count) * bytes));
  target.fill(0, count * bytes);
  if (source.type !== "float16") return staging;
  const floats = staging + align(4 * PANEL_COLUMNS * depth + SLACK);
  kernels.unpack_f16(staging, floats, PANEL_COLUMNS * depth);
  return floats;
}

/** For conv_f32.c. */
export function packFloats({ columns, depth, ...later }: FloatMatrix): Packed {
  const panelBytes = 4 * PANEL_COLUMNS * (1 + depth);
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        for (let i = 0; i < count; i++) view.setFloat32(byte + 4 * i, bias?.[first + i] ?? 0, true);
        const from = stage(packing, weights, first, count, depth);
        packing.kernels.pack_f32(from, view.byteOffset + byte + 4 * PANEL_COLUMNS, depth);
      });
    },
  };
}

/** The deepest matrix for which stepOf leaves room. */
export const DEEPEST_I16 = 2 ** 17;

const LARGEST_I16 = 2 ** 15 - 1;

/** For conv_f32_i16.c and conv_f32_strassen.c. @param limit What no weight is beyond, in steps. */
export function packFloatsAsI16({ columns, depth, steps, ...later }: FloatMatrix, limit = LARGEST_I16): Packed {
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
        packing.kernels.pack_f32_i16(
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

/** Writes how `count` of eight channels are scaled. */
function writeChannels(
  view: DataView<ArrayBufferLike>,
  byte: number,
  count: number,
  rounding: Rounding,
  channel: (i: number) => { bias: number; multiplier: number },
): void {
  for (let i = 0; i < count; i++) {
    const { bias, multiplier } = channel(i);
    const { exact, near } = requantization(fixedPoint(multiplier), rounding);
    CHANNELS.bias.set(view, byte, bias, i);
    CHANNELS.multiplier.set(view, byte, near.multiplier, i);
    CHANNELS.offset.set(view, byte, near.offset, i);
    CHANNELS.negative.set(view, byte, near.negative, i);
    CHANNELS.exactMultiplier.set(view, byte, exact.multiplier, i);
    CHANNELS.exactOffset.set(view, byte, exact.offset, i);
    CHANNELS.exactNegative.set(view, byte, exact.negative, i);
  }
}

/** For conv_u8_wide.c. */
export function packBytesAsI16({ multipliers, rounding, columns, depth, zero, ...later }: ByteMatrix): Packed {
  const pairs = Math.ceil(depth / 2);
  const panelBytes = CHANNELS.bytes + 4 * PANEL_COLUMNS * pairs;
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        writeChannels(view, byte, count, rounding, (i) => ({
          bias: bias?.[first + i] ?? 0,
          multiplier: multipliers[first + i],
        }));
        const from = stage(packing, weights, first, count, depth);
        const to = view.byteOffset + byte + CHANNELS.bytes;
        packing.kernels.pack_u8_i16(from, to, depth, weights.type === "int8" ? 128 : 0, zero);
      });
    },
  };
}

/** For conv_u8_dot.c. @param inputZero The input's zero point. */
export function packBytesForDot(matrix: ByteMatrix, inputZero: number): Packed {
  const { multipliers, rounding, columns, depth, zero, ...later } = matrix;
  // What is stored, signed bytes, is a weight and this.
  const weightsZero = zero - 128;
  const panelBytes = CHANNELS.bytes + PANEL_COLUMNS * Math.ceil(depth / 4) * 4;
  return {
    bytes: Math.ceil(columns / PANEL_COLUMNS) * panelBytes,
    staging: stagingOf(depth),
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(columns, panelBytes, (byte, first, count) => {
        const from = stage(packing, weights, first, count, depth);
        // The sums go where the biases will be.
        const sums = view.byteOffset + byte;
        packing.kernels.pack_u8_dot(from, sums, sums + CHANNELS.bytes, depth, weights.type === "uint8" ? 128 : 0);
        // Σ(a − za)(w − zw) = Σa·w − zw·Σa − za·Σw + depth·za·zw; the kernel sees to the first two.
        writeChannels(view, byte, count, rounding, (i) => ({
          bias:
            (bias?.[first + i] ?? 0) - inputZero * CHANNELS.bias.get(view, byte, i) + depth * inputZero * weightsZero,
          multiplier: multipliers[first + i],
        }));
      });
    },
  };
}

/** For conv_u8_pairs.c. @param residues Of each panel. @param inputZero The input's zero point. */
export function packBytesAsPairs(matrix: ByteMatrix, residues: readonly number[], inputZero: number): Packed {
  const { multipliers, rounding, columns, depth, zero, ...later } = matrix;
  const weightBytes = PANEL_COLUMNS * Math.ceil(depth / 8) * 8;
  const panelBytes = residues.map((count) => CHANNELS.bytes + RESIDUES.bytes + weightBytes + RESIDUE.bytes * count);
  // Behind the weights that are staged: what is left of eight of each column, and the columns' sums.
  const scratch = align(4 * PANEL_COLUMNS * depth + SLACK);
  return {
    bytes: panelBytes.reduce((sum, bytes) => sum + bytes, 0) + RESIDUE.bytes,
    staging: scratch + 256,
    write(view, packing) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      const flip = weights.type === "int8" ? 128 : 0;
      const rest = packing.staging + scratch;
      let byte = 0;
      panels(columns, 0, (_, first, count) => {
        const from = stage(packing, weights, first, count, depth);
        const sums = view.byteOffset + byte;
        packing.kernels.pack_u8_pairs(from, sums + CHANNELS.bytes, rest, sums, depth, count, flip, zero);
        writeChannels(view, byte, count, rounding, (i) => ({
          bias: (bias?.[first + i] ?? 0) - inputZero * CHANNELS.bias.get(view, byte, i),
          multiplier: multipliers[first + i],
        }));
        byte += panelBytes[first / PANEL_COLUMNS];
      });
    },
  };
}

/** For depthwise_f32.c. @param weights [taps, channels] */
export function packDepthwiseFloats(
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
 * How TFLite's optimised depthwise convolution rounds: of int8 it does eight channels at a time by instructions that round
 * halves up, and what is left, as all of uint8, one by one.
 */
export const depthwiseRounding = (signed: boolean, channel: number, channels: number): Rounding =>
  signed && channel < channels - (channels % 8) ? "up" : "away";

/** Weights of a depthwise convolution, less their zero point: [kernel height, kernel width, channels]. */
interface DepthwiseBytes {
  readonly weights: Later<Int32Array>;
  readonly bias: Later<Int32Array> | undefined;
  /** Whether they are of int8. */
  readonly signed: boolean;
}

/** For depthwise_u8.c. */
export function packDepthwiseBytes(
  { signed, ...later }: DepthwiseBytes,
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
        writeChannels(view, byte, count, depthwiseRounding(signed, first, channels), (i) => ({
          bias: bias?.[first + i] ?? 0,
          multiplier: multipliers[first + i],
        }));
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

/** The bytes that a weight is split into: what one holds of it, and the rest. */
const parted = (weight: number): readonly [number, number] => {
  const first = Math.min(127, Math.max(-128, weight));
  return [first, weight - first];
};

/** Whether weights, less their zero point, can be split so. */
export const canBeParted = (weights: Int32Array): boolean => weights.every((weight) => parted(weight)[1] <= 127);

/** For depthwise_u8_dot.c. @param inputZero The input's zero point. */
export function packDepthwiseForDot(
  { signed, ...later }: DepthwiseBytes,
  multipliers: readonly number[],
  [height, width]: readonly [number, number],
  inputZero: number,
): Packed {
  const channels = multipliers.length;
  const rowBytes = 16 * Math.ceil(width / DOT_TAPS);
  const partBytes = 2 * height * rowBytes;
  const panelBytes = DEPTHWISE_PANEL.bytes + 2 * partBytes;
  return {
    bytes: Math.ceil(channels / PANEL_COLUMNS) * panelBytes,
    write(view) {
      const [weights, bias] = [later.weights(), later.bias?.()];
      panels(channels, panelBytes, (byte, first, count) => {
        const sums = new Int32Array(PANEL_COLUMNS);
        let parts = 1;
        for (let tap = 0; tap < height * width; tap++) {
          const [y, x] = [Math.floor(tap / width), tap % width];
          for (let i = 0; i < count; i++) {
            const weight = weights[tap * channels + first + i];
            const at =
              ((i >> 2) * height + y) * rowBytes + 16 * Math.floor(x / DOT_TAPS) + DOT_TAPS * (i & 3) + (x % DOT_TAPS);
            const [own, rest] = parted(weight);
            DEPTHWISE_PANEL.weights.set(view, byte, own, at);
            DEPTHWISE_PANEL.weights.set(view, byte, rest, partBytes + at);
            sums[i] += weight;
            if (rest !== 0) parts = 2;
          }
        }
        DEPTHWISE_PANEL.parts.set(view, byte, parts);
        writeChannels(view, byte, count, depthwiseRounding(signed, first, channels), (i) => ({
          bias: (bias?.[first + i] ?? 0) - inputZero * sums[i],
          multiplier: multipliers[first + i],
        }));
      });
    },
  };
}
