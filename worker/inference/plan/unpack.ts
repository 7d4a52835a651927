/** Reads a column of weights back from the layout in which pack.ts has written it. */
import { CHANNELS_BYTES, COLUMNS, RESIDUE_BYTES, RESIDUES_BYTES } from "./pack.ts";

/** The zero points that `struct Conv` has. */
export interface Zeros {
  readonly input: number;
  readonly weights: number;
}

/** Reads one column of a packed matrix. */
type ReadColumn = (view: DataView<ArrayBufferLike>, depth: number, column: number, zeros: Zeros) => Column;

/** In steps of the weights and of the sums where they are quantised. */
export interface Column {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** The start of a column's panel, and its place in the panel. */
const placeOf = (panelBytes: number, column: number): readonly [start: number, lane: number] => [
  Math.floor(column / COLUMNS) * panelBytes,
  column % COLUMNS,
];

const read = (depth: number, bias: number, weight: (k: number) => number): Column => ({
  weights: Float32Array.from({ length: depth }, (_, k) => weight(k)),
  bias,
});

const PAIR = 2 * COLUMNS;

/** By kernel. */
export const READ_COLUMN: { readonly [kernel: string]: ReadColumn } = {
  conv_f32(view, depth, column) {
    const [start, lane] = placeOf(4 * COLUMNS * (1 + depth), column);
    const at = (row: number) => view.getFloat32(start + 4 * (COLUMNS * row + lane), true);
    return read(depth, at(0), (k) => at(1 + k));
  },
  conv_f32_i16(view, depth, column) {
    const [start, lane] = placeOf(8 * COLUMNS + 4 * COLUMNS * Math.ceil(depth / 2), column);
    const step = view.getFloat32(start + 4 * (COLUMNS + lane), true);
    const at = (k: number) => view.getInt16(start + 8 * COLUMNS + 2 * ((k >> 1) * PAIR + 2 * lane + (k & 1)), true);
    return read(depth, view.getFloat32(start + 4 * lane, true), (k) => step * at(k));
  },
  conv_u8_wide(view, depth, column) {
    const [start, lane] = placeOf(CHANNELS_BYTES + 4 * COLUMNS * Math.ceil(depth / 2), column);
    const at = (k: number) => view.getInt16(start + CHANNELS_BYTES + 2 * ((k >> 1) * PAIR + 2 * lane + (k & 1)), true);
    return read(depth, view.getInt32(start + 4 * lane, true), at);
  },
  conv_u8_dot(view, depth, column, zeros) {
    const [start, lane] = placeOf(CHANNELS_BYTES + COLUMNS * 4 * Math.ceil(depth / 4), column);
    const at = (k: number) => view.getInt8(start + CHANNELS_BYTES + (k >> 2) * 4 * COLUMNS + 4 * lane + (k & 3));
    const { weights } = read(depth, 0, (k) => at(k) - zeros.weights);
    // The packed bias has in it what follows from the input's zero point.
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { weights, bias: view.getInt32(start + 4 * lane, true) + zeros.input * sum };
  },
  conv_u8_pairs(view, depth, column, zeros) {
    const filled = COLUMNS * Math.ceil(depth / 8) * 8;
    const residuesAt = (start: number) => start + CHANNELS_BYTES + RESIDUES_BYTES + filled;
    const countAt = (start: number) => view.getInt32(start + CHANNELS_BYTES, true);
    let start = 0;
    for (let panel = 0; panel < Math.floor(column / COLUMNS); panel++) {
      start = residuesAt(start) + RESIDUE_BYTES * countAt(start);
    }
    const lane = 4 * (column % COLUMNS);
    const weightsAt = start + CHANNELS_BYTES + RESIDUES_BYTES;
    const { weights } = read(depth, 0, (k) => view.getInt8(weightsAt + (k >> 2) * 4 * COLUMNS + lane + (k & 3)));
    for (let i = 0; i < countAt(start); i++) {
      const residue = residuesAt(start) + RESIDUE_BYTES * i;
      const offset = view.getInt32(residue, true);
      for (let k = 0; k < 4 && offset + k < depth; k++) {
        weights[offset + k] += view.getInt8(residue + RESIDUES_BYTES + lane + k);
      }
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { weights, bias: view.getInt32(start + lane, true) + zeros.input * sum };
  },
};
