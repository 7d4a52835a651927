/**
 * Walks the chunks of a PNG and checks all that its decoding relies on, so that upng-js, which checks nothing, sees
 * nothing unexpected. Source: PNG specification, third edition. Of the ancillary chunks
 * only eXIf is looked at: alpha, gamma and animations play no part.
 */
import { LabelerError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { exifOrientation } from "./exif.ts";
import { checkSize } from "./limits.ts";
import type { Orientation } from "./orientation.ts";
import type { Size } from "./resize.ts";

/** PNG colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
export type ColourType = 0 | 2 | 3 | 4 | 6;

export interface PngHeader extends Size {
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  depth: number;
  colourType: ColourType;
  /** Adam7. */
  interlaced: boolean;
}

export interface PngFile extends PngHeader {
  /** [entries, 3] RGB; empty unless colourType is 3. */
  palette: Uint8Array;
  /** Of an eXIf chunk ahead of the image data. */
  orientation: Orientation;
  /** The parts of the zlib stream. */
  data: Uint8Array<ArrayBuffer>[];
}

const DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** A 16 MiB file of more chunks than this has fewer than 256 bytes in each, which only an attack has. */
const MAX_CHUNKS = 65_536;

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const broken = (detail: string) => new LabelerError("broken-image", detail);

interface Chunk {
  type: string;
  data: Uint8Array<ArrayBuffer>;
  /** Of type and data, as calculated and as stored. */
  crcMatches(): boolean;
}

function* chunks(bytes: Uint8Array<ArrayBuffer>): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = SIGNATURE.length;
  for (let n = 0; at < bytes.length; n++) {
    if (n === MAX_CHUNKS) throw broken(`The PNG has more than ${MAX_CHUNKS} chunks. Save the image anew.`);
    if (bytes.length - at < 12) throw broken("The PNG ends within a chunk: the file is cut off. Send all of it.");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) throw broken(`The PNG has no chunk where one must begin, at byte ${at}.`);
    const end = at + 8 + length;
    if (end + 4 > bytes.length)
      throw broken(
        `The PNG's ${type} chunk is to have ${length} bytes and the file has only ${bytes.length - at - 12} more: ` +
          "it is cut off or damaged. Send all of it.",
      );
    const covered = bytes.subarray(at + 4, end);
    yield { type, data: bytes.subarray(at + 8, end), crcMatches: () => crc32(covered) === view.getUint32(end) };
    at = end + 4;
  }
}

function readHeader({ type, data }: Chunk, maxPixels: number): PngHeader {
  if (type === "CgBI")
    throw new LabelerError("unsupported-image", "This is Apple's private variant of PNG (CgBI). Send a standard PNG.");
  if (type !== "IHDR" || data.length !== 13) throw broken("The PNG does not begin with a header chunk (IHDR).");
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [depth, colourType, compression, filter, interlace] = data.subarray(8);
  if (!DEPTHS[colourType]?.includes(depth))
    throw broken(`The PNG's header has bit depth ${depth} with colour type ${colourType}, which PNG does not know.`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw broken(
      `The PNG's header has compression ${compression}, filter ${filter}, interlace ${interlace}: PNG knows 0, 0, 0 or 1.`,
    );
  const header: PngHeader = {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth,
    colourType: colourType as ColourType,
    interlaced: interlace === 1,
  };
  checkSize("PNG", header, maxPixels);
  return header;
}

/**
 * Reads a PNG up to the end of its first image; what follows does not matter.
 *
 * @throws LabelerError "image-too-large" by its header alone; "broken-image" with what is wrong; "unsupported-image".
 */
export function readPng(bytes: Uint8Array<ArrayBuffer>, maxPixels: number): PngFile {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte))
    throw broken(
      bytes.length < SIGNATURE.length
        ? "The PNG is cut off within its signature. Send all of it."
        : "The PNG's signature is damaged as it is by a transfer as text. Send it as binary (curl --data-binary).",
    );
  let header: PngHeader | undefined;
  let palette = new Uint8Array(0);
  let orientation: Orientation = 1;
  const data: Uint8Array<ArrayBuffer>[] = [];
  for (const chunk of chunks(bytes)) {
    const { type } = chunk;
    if (data.length > 0 && type !== "IDAT") break;
    const critical = type[0] === type[0].toUpperCase();
    if (critical && !chunk.crcMatches())
      throw broken(`The checksum of the PNG's ${type} chunk does not match: the file is damaged. Send it again.`);
    if (header === undefined) {
      header = readHeader(chunk, maxPixels);
    } else if (type === "PLTE") {
      if (palette.length > 0) throw broken("The PNG has two palettes (PLTE).");
      if (header.colourType === 3) palette = chunk.data;
    } else if (type === "IDAT") {
      data.push(chunk.data);
    } else if (type === "eXIf") {
      orientation = exifOrientation(chunk.data);
    } else if (type === "IEND") {
      break;
    } else if (critical) {
      throw broken(`The PNG has a critical chunk ${type} here, which cannot be decoded. Save the image anew.`);
    }
  }
  if (header === undefined) throw broken("The PNG ends before its header. Send all of it.");
  if (data.length === 0) throw broken("The PNG has no image data (IDAT). Send all of it.");
  if (header.colourType === 3 && (palette.length === 0 || palette.length > 768 || palette.length % 3 !== 0))
    throw broken(`The PNG needs a palette (PLTE) of 1 to 256 colours and has one of ${palette.length} bytes.`);
  return { ...header, palette, orientation, data };
}
