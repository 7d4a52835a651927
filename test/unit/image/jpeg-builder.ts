/** Builds JPEG files from segments, for tests that need a file that is wrong, or huge, in a single place. */
import { concat } from "./png-builder.ts";

const uint16 = (value: number) => [value >> 8, value & 255];

export const START = Uint8Array.of(0xff, 0xd8);

/** A marker segment; its length is that of the data unless told otherwise. */
export const segment = (marker: number, data: ArrayLike<number>, length = data.length + 2) =>
  Uint8Array.from([0xff, marker, ...uint16(length), ...Array.from(data)]);

/** A frame header: SOF0 is the marker 0xc0, and so on. */
export const frame = (marker: number, { precision = 8, width = 16, height = 16, components = 3 } = {}) =>
  segment(marker, [
    precision,
    ...uint16(height),
    ...uint16(width),
    components,
    ...Array.from({ length: components }, (_, i) => [i + 1, 0x11, 0]).flat(),
  ]);

/** The header of a scan of the first `components` components. */
export const scan = (components: number) =>
  segment(0xda, [components, ...Array.from({ length: components }, (_, i) => [i + 1, 0]).flat(), 0, 63, 0]);

export const jpeg = (...segments: Uint8Array[]) => concat(START, ...segments);
