/** A writer of PNG files, and a palette: what the bench's inputs need and no library does as libpng would. */
import { deflateSync, crc32 as zlibCrc32 } from "node:zlib";
import type { Picture } from "../rivals/encoders.js";
import { ADAM7, type Pass } from "./adam7.ts";

/** 6 × 7 × 6 levels of red, green and blue as 0xRRGGBB, filled up with black to 256. */
export const PALETTE: readonly number[] = Array.from({ length: 256 }, (_, index) => {
  if (index >= 252) return 0;
  const level = (value: number, levels: number) => Math.round((value * 255) / (levels - 1));
  const [red, green, blue] = [Math.floor(index / 42), Math.floor(index / 6) % 7, index % 6];
  return (level(red, 6) << 16) | (level(green, 7) << 8) | level(blue, 6);
});

/** Bayer's thresholds of 4 × 4 pixels. */
const THRESHOLDS = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5].map((step) => (step + 0.5) / 16);

/** The indices into PALETTE of a picture, with an ordered dither. */
export function toPalette({ width, height, data }: Picture): Picture {
  const indices = new Uint8Array(width * height);
  for (let i = 0; i < indices.length; i++) {
    const threshold = THRESHOLDS[4 * (Math.floor(i / width) & 3) + ((i % width) & 3)];
    const level = (value: number, levels: number) => Math.floor((value * (levels - 1)) / 255 + threshold);
    indices[i] = 42 * level(data[3 * i], 6) + 6 * level(data[3 * i + 1], 7) + level(data[3 * i + 2], 6);
  }
  return { width, height, data: indices };
}

const paeth = (a: number, b: number, c: number) => {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
};

/** PNG's five filters: what is predicted from left, above and above left. */
const FILTERS: readonly ((a: number, b: number, c: number) => number)[] = [
  () => 0,
  (a) => a,
  (_, b) => b,
  (a, b) => (a + b) >> 1,
  paeth,
];

/** Filters each row by the one whose differences are least, as libpng does; palettes stay unfiltered. */
function filterRows(rows: Uint8Array, width: number, channels: number): Buffer {
  const stride = width * channels;
  const height = rows.length / stride;
  const filtered = Buffer.alloc((stride + 1) * height);
  const candidate = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    let least = Number.POSITIVE_INFINITY;
    for (let filter = 0; filter < (channels === 1 ? 1 : FILTERS.length); filter++) {
      const predict = FILTERS[filter];
      let sum = 0;
      for (let i = 0, at = y * stride; i < stride; i++, at++) {
        const left = i < channels ? 0 : rows[at - channels];
        const above = y === 0 ? 0 : rows[at - stride];
        const corner = y === 0 || i < channels ? 0 : rows[at - stride - channels];
        candidate[i] = rows[at] - predict(left, above, corner);
        sum += candidate[i] < 128 ? candidate[i] : 256 - candidate[i];
      }
      if (sum >= least) continue;
      least = sum;
      filtered[y * (stride + 1)] = filter;
      filtered.set(candidate, y * (stride + 1) + 1);
    }
  }
  return filtered;
}

function pass(picture: Picture, channels: number, [left, top, stepX, stepY]: Pass): Buffer {
  const [columns, rows] = [Math.ceil((picture.width - left) / stepX), Math.ceil((picture.height - top) / stepY)];
  const data = new Uint8Array(columns * rows * channels);
  for (let y = 0, to = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const from = channels * ((top + y * stepY) * picture.width + left + x * stepX);
      for (let c = 0; c < channels; c++) data[to++] = picture.data[from + c];
    }
  }
  return filterRows(data, columns, channels);
}

/** A chunk of a PNG, with its length and checksum. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  framed.set(body, 4);
  framed.writeUInt32BE(zlibCrc32(body), body.length + 4);
  return framed;
}

export interface PngOptions {
  readonly interlaced?: boolean;
  /** 0xRRGGBB; then the picture has indices. */
  readonly palette?: readonly number[];
}

/** 8 bits a channel, RGB or a palette, at zlib's usual level. */
export function encodePng(picture: Picture, { interlaced = false, palette }: PngOptions = {}): Uint8Array {
  const channels = palette === undefined ? 3 : 1;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(picture.width);
  header.writeUInt32BE(picture.height, 4);
  header.set([8, palette === undefined ? 2 : 3, 0, 0, interlaced ? 1 : 0], 8);
  const rows = interlaced
    ? Buffer.concat(ADAM7.map((steps) => pass(picture, channels, steps)))
    : filterRows(picture.data, picture.width, channels);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...(palette === undefined
      ? []
      : [chunk("PLTE", Uint8Array.from(palette.flatMap((rgb) => [rgb >> 16, (rgb >> 8) & 255, rgb & 255])))]),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array()),
  ]);
}
