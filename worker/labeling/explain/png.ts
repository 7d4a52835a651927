/**
 * Writes a PNG in stretches. upng-js filters the rows and computes the checksums; its own encode() would block the thread for
 * a quarter of a second, since it compresses the whole picture several times over. The platform compresses instead.
 */
import UPNG from "upng-js";
import type { Execute } from "../../runtime/execute.ts";

/** What is drawn row by row. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** @param rgb Where to, [width, 3], 0..255. */
  drawRow(y: number, rgb: Uint8Array): void;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS = 3;
const PAETH = 4;

/** Pixels that are drawn and filtered in one turn, and how long that takes, in milliseconds. */
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

/** The rows as PNG has them: each behind the number of its filter. */
async function writeRows(drawing: Drawing, execute: Execute, to: WritableStream<BufferSource>): Promise<void> {
  const writer = to.getWriter();
  const { width, height } = drawing;
  const length = width * CHANNELS;
  const rows = Math.max(1, Math.floor(STRETCH / width));
  let above: Uint8Array = new Uint8Array(length);
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    const filtered = await execute(STRETCH_UNITS, () => {
      // The row above comes along, since the filter looks at it.
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

/** Draws a picture and makes a PNG of it: RGB of 8 bits. */
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
