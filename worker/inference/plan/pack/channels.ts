/** Writes the heads of packed uint8 weights: how the sums of eight output channels are requantised. */
import { fixedPoint } from "../../fixed-point.ts";
import { CHANNELS } from "../layouts.ts";
import { type Rounding, requantization } from "./multiplier.ts";

/** Writes the scales of `count` of eight channels. */
export function writeChannels(
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
