/** Reads an output channel's weights back from the layout in which f32.ts and uint8.ts have written them. */
import { CHANNELS, type Conv, type ConvKernel, HEAD, PANEL_COLUMNS, RESIDUE, RESIDUES } from "../layouts.ts";

type Zeros = Pick<Conv, "inputZero" | "weightsZero">;

/** Reads one output channel of a packed matrix. */
type ReadColumn = (view: DataView<ArrayBufferLike>, depth: number, column: number, zeros: Zeros) => Column;

/** The weights of an output channel, in steps of the weights and of the sums if they are quantised. */
export interface Column {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** The start of a channel's panel, and its lane in the panel. */
const placeOf = (panelBytes: number, column: number): readonly [start: number, lane: number] => [
  Math.floor(column / PANEL_COLUMNS) * panelBytes,
  column % PANEL_COLUMNS,
];

const read = (depth: number, bias: number, weight: (k: number) => number): Column => ({
  weights: Float32Array.from({ length: depth }, (_, k) => weight(k)),
  bias,
});

const PAIR = 2 * PANEL_COLUMNS;

/** Reads a column of f32 weights that are stored as int16. */
const readShorts: ReadColumn = (view, depth, column) => {
  const [start, lane] = placeOf(HEAD.bytes + 4 * PANEL_COLUMNS * Math.ceil(depth / 2), column);
  const step = HEAD.scale.get(view, start, lane);
  const at = (k: number) => view.getInt16(start + HEAD.bytes + 2 * ((k >> 1) * PAIR + 2 * lane + (k & 1)), true);
  return read(depth, HEAD.bias.get(view, start, lane), (k) => step * at(k));
};

export const READ_COLUMN: { readonly [kernel in ConvKernel]: ReadColumn } = {
  f32_gemm_4x8_fma(view, depth, column) {
    const [start, lane] = placeOf(4 * PANEL_COLUMNS * (1 + depth), column);
    const at = (row: number) => view.getFloat32(start + 4 * (PANEL_COLUMNS * row + lane), true);
    return read(depth, at(0), (k) => at(1 + k));
  },
  qd16_f32_gemm_4x8c2_dot16x2: readShorts,
  qd16_f32_gemm_4x8c2_strassen: readShorts,
  qu8_gemm_4x8c2_dot16x2(view, depth, column) {
    const [start, lane] = placeOf(CHANNELS.bytes + 4 * PANEL_COLUMNS * Math.ceil(depth / 2), column);
    const at = (k: number) => view.getInt16(start + CHANNELS.bytes + 2 * ((k >> 1) * PAIR + 2 * lane + (k & 1)), true);
    return read(depth, CHANNELS.bias.get(view, start, lane), at);
  },
  qu8_gemm_4x12c4_usdot(view, depth, column, zeros) {
    const [start, lane] = placeOf(CHANNELS.bytes + PANEL_COLUMNS * 4 * Math.ceil(depth / 4), column);
    const at = (k: number) => view.getInt8(start + CHANNELS.bytes + (k >> 2) * 4 * PANEL_COLUMNS + 4 * lane + (k & 3));
    const { weights } = read(depth, 0, (k) => at(k) - zeros.weightsZero);
    // The packed bias includes the terms of the input's zero point.
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { weights, bias: CHANNELS.bias.get(view, start, lane) + zeros.inputZero * sum };
  },
  qu8_gemm_3x8c4_usdot2(view, depth, column, zeros) {
    const filled = PANEL_COLUMNS * Math.ceil(depth / 8) * 8;
    const residuesAt = (start: number) => start + CHANNELS.bytes + RESIDUES.bytes + filled;
    const countAt = (start: number) => RESIDUES.count.get(view, start + CHANNELS.bytes);
    let start = 0;
    for (let panel = 0; panel < Math.floor(column / PANEL_COLUMNS); panel++) {
      start = residuesAt(start) + RESIDUE.bytes * countAt(start);
    }
    const lane = column % PANEL_COLUMNS;
    const weightsAt = start + CHANNELS.bytes + RESIDUES.bytes;
    const { weights } = read(depth, 0, (k) =>
      view.getInt8(weightsAt + (k >> 2) * 4 * PANEL_COLUMNS + 4 * lane + (k & 3)),
    );
    for (let i = 0; i < countAt(start); i++) {
      const residue = residuesAt(start) + RESIDUE.bytes * i;
      const offset = RESIDUE.offset.get(view, residue);
      for (let k = 0; k < 4 && offset + k < depth; k++) {
        weights[offset + k] += RESIDUE.weights.get(view, residue, 4 * lane + k);
      }
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { weights, bias: CHANNELS.bias.get(view, start, lane) + zeros.inputZero * sum };
  },
};
