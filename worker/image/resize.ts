/**
 * Resizes an image row by row with the very bytes of Pillow's `image.crop(box).resize(size)` (bicubic, antialiased).
 * Holds only the rows that the next output row is made of, so a frame never has to stand in memory.
 */
import { layoutOf, type Orientation } from "./orientation.ts";
import { bicubicTaps, reverseTaps, type Taps, WEIGHT_BITS } from "./taps.ts";

export interface Size {
  width: number;
  height: number;
}

/** A rectangle of pixels; x and y are of its top left corner. */
export interface Box extends Size {
  x: number;
  y: number;
}

export interface ResizeOptions {
  /** The part to resize, in the picture as it is seen (after `orientation`). Default: all of it. */
  crop?: Box;
  /** How the rows lie in the picture. Default: 1, as they come. */
  orientation?: Orientation;
}

/** A half, so that the shift at the end of a sum rounds to nearest. */
const HALF = 1 << (WEIGHT_BITS - 1);

/** One stored axis: taps counted from `first`, and the stored range [first, end) that they touch. */
interface Axis {
  taps: Taps;
  first: number;
  end: number;
}

function axis(stored: number, crop: { start: number; length: number }, target: number, reversed: boolean): Axis {
  const taps = bicubicTaps(crop.length, target);
  if (!reversed) return { taps, first: crop.start, end: crop.start + crop.length };
  const first = stored - crop.start - crop.length;
  return { taps: reverseTaps(taps, crop.length), first, end: first + crop.length };
}

/** RGB along a row: one output pixel for each tap run, written from `offset` on with `step` bytes between pixels. */
function resizeRow(row: Uint8Array, taps: Taps, out: Uint8ClampedArray, offset: number, step: number): void {
  const { length, start, count, weights, stride } = taps;
  for (let i = 0, at = offset; i < length; i++, at += step) {
    let r = HALF;
    let g = HALF;
    let b = HALF;
    let p = start[i] * 3;
    const end = i * stride + count[i];
    for (let k = i * stride; k < end; k++, p += 3) {
      const weight = weights[k];
      r = (r + Math.imul(row[p], weight)) | 0;
      g = (g + Math.imul(row[p + 1], weight)) | 0;
      b = (b + Math.imul(row[p + 2], weight)) | 0;
    }
    out[at] = r >> WEIGHT_BITS;
    out[at + 1] = g >> WEIGHT_BITS;
    out[at + 2] = b >> WEIGHT_BITS;
  }
}

/** Puts RGB pixels into `out` from `offset` on with `step` bytes from one to the next. */
function copyPixels(pixels: Uint8Array, out: Uint8ClampedArray, offset: number, step: number): void {
  for (let p = 0, at = offset; p < pixels.length; p += 3, at += step) {
    out[at] = pixels[p];
    out[at + 1] = pixels[p + 1];
    out[at + 2] = pixels[p + 2];
  }
}

/** Pillow's exception for very tall images (Image.resize): it resizes their height first. */
const resizesHeightFirst = (crop: Size, target: Size) => crop.height > crop.width * 100 && target.height < crop.height;

/**
 * Takes rows from the top down and gives the resized picture.
 *
 * Pillow resizes along x first and rounds to bytes in between, so the order of the passes shows in the result. Where
 * the stored rows are columns of the picture, the stored rows have to be summed up first.
 *
 * @example
 * const resizer = new RowResizer({ width: 640, height: 480 }, { width: 224, height: 224 });
 * for (const row of rows) resizer.pushRow(row);
 * const pixels = resizer.finish();
 */
export class RowResizer {
  readonly #columns: Axis;
  readonly #rows: Axis;
  /** Whether the pass down the stored rows comes before the one along them. */
  readonly #rowsFirst: boolean;
  readonly #sourceWidth: number;
  readonly #output: Uint8ClampedArray<ArrayBuffer>;
  /** [slots, width, 3] the latest rows, each in slot (row number modulo slots). */
  readonly #window: Uint8ClampedArray<ArrayBuffer>;
  readonly #slots: number;
  /** Bytes of a row in the window. */
  readonly #pitch: number;
  readonly #sums: Int32Array<ArrayBuffer>;
  /** A row to write, and the same memory to read: resizeRow stays fast as long as it only ever reads one type. */
  readonly #line: Uint8ClampedArray<ArrayBuffer>;
  readonly #lineBytes: Uint8Array<ArrayBuffer>;
  /** Bytes from one output pixel to the next along a stored row, and from one stored row's to the next's. */
  readonly #pixelStep: number;
  readonly #rowStep: number;
  /** Output rows are made in the order in which their last source row comes: upwards, or downwards if reversed. */
  #next: number;
  readonly #direction: 1 | -1;
  #row = 0;

  /** @param source The size as stored. @param target The size of the output, as seen. */
  constructor(source: Size, target: Size, { crop, orientation = 1 }: ResizeOptions = {}) {
    const { transposed, columnsReversed, rowsReversed } = layoutOf(orientation);
    const seen = transposed ? { width: source.height, height: source.width } : source;
    const box = crop ?? { x: 0, y: 0, ...seen };
    if (box.width < 1 || box.height < 1 || target.width < 1 || target.height < 1) throw new RangeError("empty size");
    if (box.x < 0 || box.y < 0 || box.x + box.width > seen.width || box.y + box.height > seen.height)
      throw new RangeError("the crop reaches outside the image");
    const across = { start: box.x, length: box.width };
    const down = { start: box.y, length: box.height };
    const [columnCrop, rowCrop] = transposed ? [down, across] : [across, down];
    const [columnTarget, rowTarget] = transposed ? [target.height, target.width] : [target.width, target.height];
    this.#columns = axis(source.width, columnCrop, columnTarget, columnsReversed);
    this.#rows = axis(source.height, rowCrop, rowTarget, rowsReversed);
    this.#rowsFirst = transposed !== resizesHeightFirst(box, target);
    this.#sourceWidth = source.width;
    this.#output = new Uint8ClampedArray(target.width * target.height * 3);
    this.#pitch = 3 * (this.#rowsFirst ? columnCrop.length : columnTarget);
    this.#slots = this.#rows.taps.count.reduce((most, count) => Math.max(most, count), 1);
    this.#window = new Uint8ClampedArray(this.#slots * this.#pitch);
    this.#sums = new Int32Array(this.#pitch);
    this.#line = new Uint8ClampedArray(this.#pitch);
    this.#lineBytes = new Uint8Array(this.#line.buffer);
    [this.#pixelStep, this.#rowStep] = transposed ? [3 * target.width, 3] : [3, 3 * target.width];
    [this.#next, this.#direction] = rowsReversed ? [rowTarget - 1, -1] : [0, 1];
  }

  /** @param row [source width, 3] RGB, 0..255; not kept, so the caller may use it again. */
  pushRow(row: Uint8Array): void {
    if (row.length < this.#sourceWidth * 3) throw new RangeError("a row is too short");
    const y = this.#row++;
    if (y < this.#rows.first || y >= this.#rows.end) return;
    const cropped = row.subarray(this.#columns.first * 3, this.#columns.end * 3);
    const at = ((y - this.#rows.first) % this.#slots) * this.#pitch;
    if (this.#rowsFirst) this.#window.set(cropped, at);
    else resizeRow(cropped, this.#columns.taps, this.#window, at, 3);
    const { start, count, length } = this.#rows.taps;
    for (; this.#next >= 0 && this.#next < length; this.#next += this.#direction) {
      if (start[this.#next] + count[this.#next] > y - this.#rows.first + 1) return;
      this.#finishRow(this.#next);
    }
  }

  /** Puts output row (stored axis) `i` together from the window. */
  #finishRow(i: number): void {
    const { start, count, weights, stride } = this.#rows.taps;
    const sums = this.#sums;
    const window = this.#window;
    const pitch = this.#pitch;
    sums.fill(HALF);
    for (let k = 0; k < count[i]; k++) {
      const weight = weights[i * stride + k];
      const from = ((start[i] + k) % this.#slots) * pitch;
      for (let x = 0; x < pitch; x++) sums[x] += Math.imul(window[from + x], weight);
    }
    const line = this.#line;
    for (let x = 0; x < pitch; x++) line[x] = sums[x] >> WEIGHT_BITS;
    const offset = i * this.#rowStep;
    if (this.#rowsFirst) resizeRow(this.#lineBytes, this.#columns.taps, this.#output, offset, this.#pixelStep);
    else copyPixels(this.#lineBytes, this.#output, offset, this.#pixelStep);
  }

  /** The output, [target height, target width, 3] RGB, 0..255. Call it when all rows of the crop have been pushed. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#next >= 0 && this.#next < this.#rows.taps.length) throw new Error("finished before the last row came");
    return new Uint8Array(this.#output.buffer);
  }
}
