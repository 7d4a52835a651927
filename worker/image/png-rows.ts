/**
 * From a PNG's unpacked bytes to rows of RGB. Undoing the line filters is upng-js's part. Its Adam7 and its way from
 * samples to RGB are not used: it is wrong for interlaced 1-bit images, for images of fewer than five columns, and for
 * grey of less than 8 bits in rows that do not fill their last byte.
 */
import UPNG from "upng-js";
import { LabelerError } from "../errors.ts";
import type { RowSink } from "./picture.ts";
import type { PngFile, PngHeader } from "./png-file.ts";

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

/** One of Adam7's seven images, or the whole image as a single pass. */
interface Pass {
  /** First column and row in the image, and the distance to the next. */
  x: number;
  y: number;
  columnStep: number;
  rowStep: number;
  width: number;
  height: number;
  /** Where it begins in the unpacked bytes. */
  offset: number;
  /** Bytes of a row, without its filter byte. */
  pitch: number;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function passes({ width, height, depth, colourType, interlaced }: PngHeader): Pass[] {
  const result: Pass[] = [];
  let offset = 0;
  for (const [x, y, columnStep, rowStep] of interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const)) {
    const columns = Math.ceil((width - x) / columnStep);
    const rows = Math.ceil((height - y) / rowStep);
    if (columns <= 0 || rows <= 0) continue; // an empty pass has no filter bytes either
    const pitch = Math.ceil((columns * CHANNELS[colourType] * depth) / 8);
    result.push({ x, y, columnStep, rowStep, width: columns, height: rows, offset, pitch });
    offset += rows * (1 + pitch);
  }
  return result;
}

/** How many bytes the image's data has to unpack to. */
export const unpackedLength = (header: PngHeader): number =>
  passes(header).reduce((sum, { height, pitch }) => sum + height * (1 + pitch), 0);

/** Writes `width` pixels that begin at `bytes[at]` to `rgb`. */
type Converter = (bytes: Uint8Array, at: number, width: number, rgb: Uint8Array) => void;

/** [2^depth, 3] the colour of each sample; what the palette does not have is black, as in Pillow. */
function colours({ depth, colourType, palette }: PngFile): Uint8Array {
  const table = new Uint8Array(3 * 2 ** depth);
  if (colourType === 3) table.set(palette.subarray(0, table.length));
  else for (let i = 0; i < table.length; i++) table[i] = (Math.floor(i / 3) * 255) / (2 ** depth - 1);
  return table;
}

/**
 * Alpha is dropped and tRNS not looked at, as in Pillow's convert("RGB"). Of 16 bits the upper 8 are taken, for grey
 * too, where Pillow clips to 255 and so makes nearly every 16-bit grey image white.
 */
function converter(file: PngFile): Converter {
  const { depth, colourType } = file;
  if (depth <= 8 && CHANNELS[colourType] === 1) {
    const table = colours(file);
    const mask = 2 ** depth - 1;
    return (bytes, at, width, rgb) => {
      for (let x = 0, bit = at * 8, to = 0; x < width; x++, bit += depth, to += 3) {
        const from = 3 * ((bytes[bit >>> 3] >> (8 - depth - (bit & 7))) & mask);
        rgb[to] = table[from];
        rgb[to + 1] = table[from + 1];
        rgb[to + 2] = table[from + 2];
      }
    };
  }
  const sample = depth / 8;
  const step = CHANNELS[colourType] * sample;
  const [green, blue] = CHANNELS[colourType] < 3 ? [0, 0] : [sample, 2 * sample];
  return (bytes, at, width, rgb) => {
    for (let x = 0, from = at, to = 0; x < width; x++, from += step, to += 3) {
      rgb[to] = bytes[from];
      rgb[to + 1] = bytes[from + green];
      rgb[to + 2] = bytes[from + blue];
    }
  };
}

/** Leaves the rows of each pass one after the other, without filter bytes, from the pass's offset on. */
function undoFilters(bytes: Uint8Array, { depth, colourType }: PngHeader, pass: Pass): void {
  for (let y = 0; y < pass.height; y++) {
    const filter = bytes[pass.offset + y * (1 + pass.pitch)];
    if (filter > 4)
      // upng would leave the row as it is
      throw new LabelerError(
        "broken-image",
        `The PNG has a line filter ${filter}, and PNG knows 0 to 4. Save it anew.`,
      );
  }
  UPNG.decode._filterZero(bytes, { depth, ctype: colourType }, pass.offset, pass.width, pass.height);
}

/**
 * @param bytes The image's unpacked data, of unpackedLength(file); overwritten.
 * @throws LabelerError "broken-image" if a line filter does not exist.
 */
export function pushRows(file: PngFile, bytes: Uint8Array, sink: RowSink): void {
  const all = passes(file);
  for (const pass of all) undoFilters(bytes, file, pass);
  const convert = converter(file);
  const rgb = new Uint8Array(file.width * 3);
  const part = file.interlaced ? new Uint8Array(file.width * 3) : rgb;
  for (let y = 0; y < file.height; y++) {
    for (const pass of all) {
      const row = (y - pass.y) / pass.rowStep;
      if (row < 0 || !Number.isInteger(row)) continue;
      convert(bytes, pass.offset + row * pass.pitch, pass.width, part);
      if (file.interlaced) spread(part, pass, rgb);
    }
    sink(rgb);
  }
}

/** Puts a pass's pixels into their columns. */
function spread(part: Uint8Array, { x, columnStep, width }: Pass, rgb: Uint8Array): void {
  for (let i = 0, from = 0, to = 3 * x; i < width; i++, from += 3, to += 3 * columnStep) {
    rgb[to] = part[from];
    rgb[to + 1] = part[from + 1];
    rgb[to + 2] = part[from + 2];
  }
}
