/**
 * Encodes a PNG in small parts. upng-js filters the rows and computes the checksums. Its own encode() would block the
 * thread for a quarter of a second, since it compresses the whole picture several times; CompressionStream compresses
 * instead.
 */
import UPNG from "upng-js";
import type { Execute } from "../../runtime/execute.ts";

/** A picture that is drawn row by row. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** @param rgb The destination, [width, 3], 0..255. */
  drawRow(y: number, rgb: Uint8Array): void;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS = 3;
const PAETH = 4;

/** Pixels that are drawn and filtered without yielding, and how long that takes, in milliseconds. */
const STRETCH = 8 << 10;
const STRETCH_UNITS = 3;

/** Length, type, contents and checksum (PNG specification, 5.3). */
function chunk(type: string, contents: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + contents.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, contents.length);
  new TextEncoder().encodeInto(type, bytes.subarray(4));
  bytes.set(contents, 8);
  view.setUint32(8 + contents.length, UPNG.crc.crc(bytes, 4, 4 + contents.length));
  return bytes;
}

function header(width: number, height: number): Uint8Array<ArrayBuffer> {
  const contents = new Uint8Array(13);
  const view = new DataView(contents.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  contents.set([8, 2], 8); // bits of a sample; RGB
  return chunk("IHDR", contents);
}

/** Writes the rows as PNG stores them: each after the number of its filter. */
async function writeRows(drawing: Drawing, execute: Execute, to: WritableStream<BufferSource>): Promise<void> {
  const writer = to.getWriter();
  const { width, height } = drawing;
  const length = width * CHANNELS;
  const rows = Math.max(1, Math.floor(STRETCH / width));
  let above: Uint8Array = new Uint8Array(length);
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    const filtered = await execute(STRETCH_UNITS, () => {
      // The filter reads the row above, so it is drawn as well.
      const raw = new Uint8Array((count + 1) * length);
      raw.set(above);
      const filtered = new Uint8Array((count + 1) * (length + 1));
      for (let i = 1; i <= count; i++) {
        drawing.drawRow(y + i - 1, raw.subarray(i * length, (i + 1) * length));
        UPNG.encode._filterLine(filtered, raw, i, length, CHANNELS, PAETH);
      }
      above = raw.subarray(count * length);
      return filtered.subarray(length + 1);
    });
    await writer.write(filtered);
  }
  await writer.close();
}

/** Draws a picture and encodes it as a PNG: RGB with 8 bits per channel. */
export async function encodePng(drawing: Drawing, execute: Execute): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = new CompressionStream("deflate");
  const [data] = await Promise.all([
    new Response(compressed.readable).arrayBuffer(),
    writeRows(drawing, execute, compressed.writable),
  ]);
  const chunks = [
    header(drawing.width, drawing.height),
    chunk("IDAT", new Uint8Array(data)),
    chunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob([new Uint8Array(SIGNATURE), ...chunks]).arrayBuffer());
}
