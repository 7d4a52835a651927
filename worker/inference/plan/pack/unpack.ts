/** Reads an output channel's weights back from the layout in which f32.ts and uint8.ts have written them. */
import {
  CHANNELS,
  type Conv,
  type ConvKernel,
  HEAD,
  OVERFLOW_HEADER,
  OVERFLOW_WEIGHTS,
  PANEL_CHANNELS,
} from "../layouts.ts";

type Zeros = Pick<Conv, "inputZero" | "weightsZero" | "flip">;

/** Reads one output channel of a packed matrix. */
type ReadChannel = (
  view: DataView<ArrayBufferLike>,
  reduction: number,
  channel: number,
  zeros: Zeros,
) => ChannelWeights;

/** The weights of an output channel, in steps of the weights and of the sums if they are quantised. */
export interface ChannelWeights {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** The start of a channel's panel, and its lane in the panel. */
const placeOf = (panelBytes: number, channel: number): readonly [start: number, lane: number] => [
  Math.floor(channel / PANEL_CHANNELS) * panelBytes,
  channel % PANEL_CHANNELS,
];

const read = (reduction: number, bias: number, weight: (k: number) => number): ChannelWeights => ({
  weights: Float32Array.from({ length: reduction }, (_, k) => weight(k)),
  bias,
});

const PAIR = 2 * PANEL_CHANNELS;

/** Reads an output channel of f32 weights that are stored as int16. */
const readInt16: ReadChannel = (view, reduction, channel) => {
  const [start, lane] = placeOf(HEAD.bytes + 4 * PANEL_CHANNELS * Math.ceil(reduction / 2), channel);
  const step = HEAD.scale.get(view, start, lane);
  const at = (k: number) => view.getInt16(start + HEAD.bytes + 2 * ((k >> 1) * PAIR + 2 * lane + (k & 1)), true);
  return read(reduction, HEAD.bias.get(view, start, lane), (k) => step * at(k));
};

export const READ_CHANNEL: { readonly [kernel in ConvKernel]: ReadChannel } = {
  f32_gemm_4x8_fma(view, reduction, channel) {
    const [start, lane] = placeOf(4 * PANEL_CHANNELS * (1 + reduction), channel);
    const at = (row: number) => view.getFloat32(start + 4 * (PANEL_CHANNELS * row + lane), true);
    return read(reduction, at(0), (k) => at(1 + k));
  },
  qd16_f32_gemm_4x8c2_dot16x2: readInt16,
  qd16_f32_gemm_4x8c2_strassen: readInt16,
  qu8_gemm_4x8c2_dot16x2(view, reduction, channel) {
    const [start, lane] = placeOf(CHANNELS.bytes + 4 * PANEL_CHANNELS * Math.ceil(reduction / 2), channel);
    const at = (k: number) => view.getInt16(start + CHANNELS.bytes + 2 * ((k >> 1) * PAIR + 2 * lane + (k & 1)), true);
    return read(reduction, CHANNELS.bias.get(view, start, lane), at);
  },
  qu8_gemm_4x12c4_usdot(view, reduction, channel, zeros) {
    const [start, lane] = placeOf(CHANNELS.bytes + PANEL_CHANNELS * 4 * Math.ceil(reduction / 4), channel);
    const at = (k: number) => view.getInt8(start + CHANNELS.bytes + (k >> 2) * 4 * PANEL_CHANNELS + 4 * lane + (k & 3));
    const { weights } = read(reduction, 0, (k) => at(k) - zeros.weightsZero);
    // The packed bias includes the terms of the input's zero point.
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { weights, bias: CHANNELS.bias.get(view, start, lane) + (zeros.inputZero - zeros.flip) * sum };
  },
  qu8_gemm_3x8c4_usdot2(view, reduction, channel, zeros) {
    const filled = PANEL_CHANNELS * Math.ceil(reduction / 8) * 8;
    const overflowAt = (start: number) => start + CHANNELS.bytes + OVERFLOW_HEADER.bytes + filled;
    const countAt = (start: number) => OVERFLOW_HEADER.count.get(view, start + CHANNELS.bytes);
    let start = 0;
    for (let panel = 0; panel < Math.floor(channel / PANEL_CHANNELS); panel++) {
      start = overflowAt(start) + OVERFLOW_WEIGHTS.bytes * countAt(start);
    }
    const lane = channel % PANEL_CHANNELS;
    const weightsAt = start + CHANNELS.bytes + OVERFLOW_HEADER.bytes;
    const { weights } = read(reduction, 0, (k) =>
      view.getInt8(weightsAt + (k >> 2) * 4 * PANEL_CHANNELS + 4 * lane + (k & 3)),
    );
    for (let i = 0; i < countAt(start); i++) {
      const entry = overflowAt(start) + OVERFLOW_WEIGHTS.bytes * i;
      const offset = OVERFLOW_WEIGHTS.offset.get(view, entry);
      for (let k = 0; k < 4 && offset + k < reduction; k++) {
        weights[offset + k] += OVERFLOW_WEIGHTS.weights.get(view, entry, 4 * lane + k);
      }
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { weights, bias: CHANNELS.bias.get(view, start, lane) + zeros.inputZero * sum };
  },
};
