/** The memory that the resizing of several regions of a picture needs: each keeps the sums of its output. */
import type { Size } from "./geometry.ts";
import { MOST_CROPS } from "./layouts.ts";

/** The bytes and the 32-bit sums of each pixel of an output (native/codecs/src/resize.c). */
const BYTES_PER_PIXEL = 15;

/** Additional memory for the rows of a wide picture and the windows of the filter, in bytes. */
const OVERHEAD = 128 << 10;

/** The part of a large instance's 40 MB that regions may take; the rest is for decoding. */
const MOST_BYTES = 30 << 20;

/** The memory in bytes. @param output The size that each region is resized to. */
export const regionBytes = (count: number, { width, height }: Size): number =>
  count * (BYTES_PER_PIXEL * width * height + OVERHEAD);

/** How many regions of this size fit into the memory of a decoder. */
export const mostRegions = (output: Size): number =>
  Math.max(1, Math.min(MOST_CROPS, Math.floor(MOST_BYTES / regionBytes(1, output))));
