/** Writes the heads of packed uint8 weights: how the sums of eight output channels are requantised. */
import { fixedPoint } from "../../fixed-point.ts";
import { CHANNELS } from "../layouts.ts";
import { type Rounding, requantization } from "./multiplier.ts";

/** The first byte of a panel in `view`, its first output channel, and the number of its channels, 1..8. */
interface Place {
  readonly view: DataView<ArrayBufferLike>;
  readonly byte: number;
  readonly first: number;
  readonly count: number;
}

interface Scales {
  /** Input scale · weight scale / output scale, for each output channel. */
  readonly multipliers: readonly number[];
  readonly rounding: Rounding;
}

/** Writes the head of a panel. @param bias The bias of channel `first + i`, in units of the sums. */
export function writeChannels(
  { view, byte, first, count }: Place,
  { multipliers, rounding }: Scales,
  bias: (i: number) => number,
): void {
  for (let i = 0; i < count; i++) {
    const { exact, near } = requantization(fixedPoint(multipliers[first + i]), rounding);
    CHANNELS.bias.set(view, byte, bias(i), i);
    CHANNELS.multiplier.set(view, byte, near.multiplier, i);
    CHANNELS.offset.set(view, byte, near.offset, i);
    CHANNELS.negative.set(view, byte, near.negative, i);
    CHANNELS.exactMultiplier.set(view, byte, exact.multiplier, i);
    CHANNELS.exactOffset.set(view, byte, exact.offset, i);
    CHANNELS.exactNegative.set(view, byte, exact.negative, i);
  }
}
