/** What the resizing of several regions of a picture takes in memory: each keeps the sums of its output. */
import type { Size } from "./geometry.ts";
import { MOST_CROPS } from "./layouts.ts";

/** For each pixel of an output: its bytes and its sums of 32 bits (native/codecs/src/resize.c). */
const BYTES_PER_PIXEL = 15;

/** For the rows of a wide picture and the windows of the filter, besides. */
const OVERHEAD = 128 << 10;

/** Of the 40 MB of a large instance; the rest is for decoding. */
const MOST_BYTES = 30 << 20;

/** In bytes. @param output What each region is resized to. */
export const regionBytes = (count: number, { width, height }: Size): number =>
  count * (BYTES_PER_PIXEL * width * height + OVERHEAD);

/** How many regions of this size fit into the memory of a decoder. */
export const mostRegions = (output: Size): number =>
  Math.max(1, Math.min(MOST_CROPS, Math.floor(MOST_BYTES / regionBytes(1, output))));
