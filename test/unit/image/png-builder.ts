/** Builds PNGs from chunks, for tests that need a file that is wrong in a single place. */

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The CRC of the PNG specification's annex D, bit by bit: slow, and independent of the code under test. */
function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return ~c >>> 0;
}

const uint32 = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

export function chunk(type: string, data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const covered = concat(new TextEncoder().encode(type), Uint8Array.from(data));
  return concat(uint32(data.length), covered, uint32(crc(covered)));
}

interface Header {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  compression?: number;
  interlace?: number;
}

export const ihdr = ({ width, height, depth, colourType, compression = 0, interlace = 0 }: Header) =>
  chunk("IHDR", concat(uint32(width), uint32(height), Uint8Array.of(depth, colourType, compression, 0, interlace)));

export const png = (...chunks: Uint8Array[]) => concat(SIGNATURE, ...chunks);

export async function deflate(bytes: number[]): Promise<Uint8Array> {
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
