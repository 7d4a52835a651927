/** Common parts of all packed weights: their source, and panels of eight output channels. */
import type { Tensor } from "../../../tflite/graph.ts";
import { bytesOf } from "../../constants.ts";
import { PANEL_CHANNELS } from "../layouts.ts";
import { align, type Packed, type Packing, SLACK } from "../step.ts";

/** Weights in the order of the file, [output channels, K]. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly type: "float32" | "float16" | "uint8" | "int8";
}

/** Returns values only when they are packed, so that the weights of only one operator are unpacked at a time. */
export type Later<T> = () => T;

/** The integers of a constant of type uint8, int8 or int32, less `zero`. */
export function integersOf(tensor: Tensor, zero = 0): Int32Array<ArrayBuffer> {
  const { view, type, length } = bytesOf(tensor);
  return Int32Array.from({ length }, (_, i) => {
    const value = type === "int32" ? view.getInt32(4 * i, true) : type === "uint8" ? view.getUint8(i) : view.getInt8(i);
    return value - zero;
  });
}

/** Calls `write` for each panel with its first byte, its first output channel, and their number. */
export function panels(
  outChannels: number,
  bytes: number,
  write: (byte: number, first: number, count: number) => void,
): void {
  for (let first = 0; first < outChannels; first += PANEL_CHANNELS) {
    write((first / PANEL_CHANNELS) * bytes, first, Math.min(PANEL_CHANNELS, outChannels - first));
  }
}

const ELEMENT = { float32: 4, float16: 2, uint8: 1, int8: 1 };

/** Bytes for staging eight output channels of a matrix: in the type of the file, and as f32. */
const stagingOf = (reduction: number): number => 2 * align(4 * PANEL_CHANNELS * reduction + SLACK);

/**
 * Copies `count` output channels from `first` on into the heap.
 *
 * @returns Their address; float16 weights are converted to f32.
 */
export function stage(
  { kernels, buffer, staging }: Packing,
  source: Source,
  first: number,
  count: number,
  reduction: number,
) {
  const bytes = ELEMENT[source.type] * reduction;
  const target = new Uint8Array(buffer, staging, PANEL_CHANNELS * bytes);
  target.set(source.bytes.subarray(first * bytes, (first + count) * bytes));
  target.fill(0, count * bytes);
  if (source.type !== "float16") return staging;
  const floats = staging + align(4 * PANEL_CHANNELS * reduction + SLACK);
  kernels.f16_f32_vcvt(staging, floats, PANEL_CHANNELS * reduction);
  return floats;
}

interface Matrix {
  readonly weights: Later<Source>;
  readonly bias: Later<ArrayLike<number>> | undefined;
  readonly outChannels: number;
  readonly reduction: number;
}

/** Eight output channels of a matrix, or as many as are left. */
interface Panel {
  readonly view: DataView<ArrayBufferLike>;
  /** The panel's first byte in `view`. */
  readonly byte: number;
  /** The same place as an address in the kernels' memory. */
  readonly address: number;
  /** The panel's first output channel, and how many it has. */
  readonly first: number;
  readonly count: number;
  /** The address of the staged weights, [count, reduction], and their type in the file. */
  readonly staged: number;
  readonly type: Source["type"];
  /** The bias of channel `first + i`; 0 if there is none. */
  bias(i: number): number;
}

/** Packs a matrix in panels of `bytes` bytes each, of which `write` writes one at a time. */
export function packPanels(
  { weights, bias, outChannels, reduction }: Matrix,
  bytes: number,
  write: (panel: Panel, kernels: Packing["kernels"]) => void,
): Packed {
  return {
    bytes: Math.ceil(outChannels / PANEL_CHANNELS) * bytes,
    staging: stagingOf(reduction),
    write(view, packing) {
      const [source, biases] = [weights(), bias?.()];
      panels(outChannels, bytes, (byte, first, count) => {
        const staged = stage(packing, source, first, count, reduction);
        const address = view.byteOffset + byte;
        const { type } = source;
        write(
          { view, byte, address, first, count, staged, type, bias: (i) => biases?.[first + i] ?? 0 },
          packing.kernels,
        );
      });
    },
  };
}
