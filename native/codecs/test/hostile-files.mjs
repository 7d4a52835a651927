// Files that are small or cheap to make and dear to decode, or that once were: each stands for a kind of attack. What
// decoding them may cost is asserted in cost.test.mjs.
import { crc32, deflateSync } from "node:zlib";

const repeat = (count, bytes) => {
  const unit = Buffer.from(bytes);
  return Buffer.alloc(count * unit.length, unit);
};

// ---- JPEG ----

const be16 = (value) => [value >> 8, value & 255];
const SOI = Buffer.of(0xff, 0xd8);
const EOI = Buffer.of(0xff, 0xd9);
const segment = (marker, data) => Buffer.from([0xff, marker, ...be16(data.length + 2), ...data]);
const DQT = segment(0xdb, [0, ...Array(64).fill(1)]);

/** A Huffman table of at most two codes: of one bit, and of two. */
const dht = (kind, first, second) =>
  segment(0xc4, [
    kind,
    1,
    second === undefined ? 0 : 1,
    ...Array(14).fill(0),
    first,
    ...(second === undefined ? [] : [second]),
  ]);

/** SOF0 baseline, SOF1 extended, SOF2 progressive, SOF9 and SOF10 the same two in arithmetic coding. */
const sof = (type, width, height, components, sampling = 0x11) =>
  segment(0xc0 + type, [
    8,
    ...be16(height),
    ...be16(width),
    components,
    ...Array.from({ length: components }, (_, i) => [i + 1, i === 0 ? sampling : 0x11, 0]).flat(),
  ]);
const restartInterval = (mcus) => segment(0xdd, be16(mcus));
const sos = (components, [start, end] = [0, 63], approximation = 0) =>
  segment(0xda, [components.length, ...components.flatMap((c) => [c, 0]), start, end, approximation]);

/** Codes of one bit: DC difference 0; end of block, or a run of 2^14 blocks that end. */
const TABLES = [DQT, dht(0x00, 0), dht(0x10, 0)];
const RUN_TABLES = [DQT, dht(0x00, 0), dht(0x10, 0xe0)];
const jpeg = (...parts) => Buffer.concat([SOI, ...parts.flat(), EOI]);
const times = (count, ...parts) => Array(count).fill(Buffer.concat(parts.flat()));

/** Of a scan in which no coefficient changes: a bit 0 and 14 bits 1 for each 32767 blocks. */
function emptyRuns(blocks) {
  const runs = Math.ceil(blocks / 32767);
  const bits = "011111111111111".repeat(runs).padEnd(Math.ceil((runs * 15) / 8) * 8, "1");
  const bytes = [];
  for (let i = 0; i < bits.length; i += 8) {
    bytes.push(Number.parseInt(bits.slice(i, i + 8), 2));
    if (bytes.at(-1) === 0xff) bytes.push(0);
  }
  return Buffer.from(bytes);
}

const [WIDE, TALL] = [9999, 10000];
const ALL = [1, 2, 3];
/** Bytes. */
const FILL = 20 << 20;
const smallBaseline = [sof(0, 64, 64, 1), sos([1]), Buffer.alloc(16)];

const JPEGS = {
  "50 empty progressive scans": () => jpeg(TABLES, sof(2, WIDE, TALL, 3, 0x22), times(50, sos(ALL, [0, 0]))),
  "500 empty progressive scans": () => jpeg(TABLES, sof(2, WIDE, TALL, 3, 0x22), times(500, sos(ALL, [0, 0]))),
  "99 empty scans with restarts": () =>
    jpeg(TABLES, restartInterval(1), sof(2, WIDE, TALL, 3), times(99, sos(ALL, [0, 0]))),
  "99 empty refinements of DC": () =>
    jpeg(TABLES, sof(2, WIDE, TALL, 3), sos(ALL, [0, 0], 0x01), times(98, sos(ALL, [0, 0], 0x10))),
  "99 refinements of AC in runs": () =>
    jpeg(RUN_TABLES, sof(2, 3500, 5400, 1), sos([1], [0, 0]), times(98, sos([1], [1, 63], 0x10), emptyRuns(438 * 675))),
  "99 first AC scans in runs": () =>
    jpeg(RUN_TABLES, sof(2, 3500, 5400, 1), sos([1], [0, 0]), times(98, sos([1], [1, 63]), emptyRuns(438 * 675))),
  "80 DC scans of a bit a block": () =>
    jpeg(TABLES, sof(2, WIDE, TALL, 1), times(80, sos([1], [0, 0]), Buffer.alloc(195_313))),
  "99 baseline scans without data": () => jpeg(TABLES, sof(0, 2560, 2560, 3), times(33, sos([1]), sos([2]), sos([3]))),
  "99 baseline scans with restarts": () =>
    jpeg(TABLES, restartInterval(1), sof(0, 2560, 2560, 3), times(33, sos([1]), sos([2]), sos([3]))),
  "baseline of 100 MP without data": () => jpeg(TABLES, sof(0, WIDE, TALL, 3), sos(ALL)),
  "baseline of 100 MP with restarts": () => jpeg(TABLES, restartInterval(1), sof(0, WIDE, TALL, 3), sos(ALL)),
  "baseline of 65500 columns": () => jpeg(TABLES, sof(0, 65500, 1520, 3, 0x14), sos(ALL)),
  "progressive of 65500 columns": () =>
    jpeg(TABLES, sof(2, 65500, 1520, 3, 0x14), times(20, sos(ALL, [0, 0]), Buffer.alloc(100_000))),
  "arithmetic of 100 MP without data": () => jpeg(DQT, sof(9, WIDE, TALL, 3), sos(ALL)),
  "arithmetic of 100 MP of zeros": () => jpeg(DQT, sof(9, WIDE, TALL, 3), sos(ALL), Buffer.alloc(500_000)),
  "arithmetic of 100 MP of 0xaa": () => jpeg(DQT, sof(9, WIDE, TALL, 3), sos(ALL), repeat(500_000, [0xaa])),
  "99 arithmetic scans": () =>
    jpeg(
      DQT,
      sof(10, 2560, 2560, 3),
      sos(ALL, [0, 0]),
      times(33, sos([1], [1, 63]), sos([2], [1, 63]), sos([3], [1, 63])),
    ),
  "99 arithmetic scans of 0xaa": () =>
    jpeg(
      DQT,
      sof(10, 2560, 2560, 3),
      sos(ALL, [0, 0]),
      times(33, sos([1], [1, 63]), repeat(3000, [0xaa]), sos([2], [1, 63]), repeat(3000, [0xaa])),
    ),
  "99 arithmetic baseline scans": () => jpeg(DQT, sof(9, 2560, 2560, 3), times(33, sos([1]), sos([2]), sos([3]))),
  "fill bytes before the first marker": () => jpeg(repeat(FILL, [0xff]), TABLES, smallBaseline),
  "fill bytes before the first scan": () => jpeg(TABLES, repeat(FILL, [0xff]), smallBaseline),
  "fill bytes in entropy-coded data": () =>
    jpeg(TABLES, sof(0, 64, 64, 3), sos(ALL), Buffer.alloc(3), repeat(FILL, [0xff]), Buffer.alloc(32)),
  "fill bytes between scans": () =>
    jpeg(
      TABLES,
      sof(2, 64, 64, 1),
      sos([1], [0, 0]),
      Buffer.alloc(8),
      repeat(FILL, [0xff]),
      sos([1], [1, 63]),
      Buffer.alloc(8),
    ),
  "fill bytes in a scan that is skipped": () =>
    jpeg(TABLES, sof(2, WIDE, TALL, 1), sos([1], [0, 0]), sos([1], [1, 63]), repeat(FILL, [0xff])),
  "fill bytes before a restart": () =>
    jpeg(
      TABLES,
      restartInterval(2),
      sof(0, 64, 64, 1),
      sos([1]),
      Buffer.alloc(1),
      repeat(FILL, [0xff]),
      Buffer.of(0xd0),
      Buffer.alloc(64),
    ),
  "garbage between scans": () =>
    jpeg(TABLES, sof(2, 64, 64, 1), sos([1], [0, 0]), Buffer.alloc(10 << 20, 1), sos([1], [1, 63]), Buffer.alloc(8)),
  "stuffed zeros between scans": () =>
    jpeg(TABLES, sof(2, 64, 64, 1), sos([1], [0, 0]), repeat(5 << 20, [0xff, 0]), sos([1], [1, 63]), Buffer.alloc(8)),
  "2.5 million comments": () => jpeg(repeat(2_500_000, segment(0xfe, [])), TABLES, smallBaseline),
  "500,000 Huffman tables": () => jpeg(repeat(500_000, dht(0, 0)), TABLES, smallBaseline),
  "150,000 quantisation tables": () => jpeg(repeat(150_000, DQT), TABLES, smallBaseline),
  "EXIF of 64 KB, 100 times": () => {
    const tiff = [..."MM"].map((c) => c.charCodeAt(0)).concat(0, 42, 0, 0, 0, 8, 255, 255);
    const app1 = segment(0xe1, [...Buffer.from("Exif\0\0"), ...tiff, ...Array(65_000).fill(1)]);
    return jpeg(times(100, app1), TABLES, smallBaseline);
  },
};

// ---- PNG ----

const be32 = (value) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
function chunk(type, data) {
  const content = Buffer.concat([Buffer.from(type), Buffer.from(data)]);
  return Buffer.concat([Buffer.from(be32(data.length)), content, Buffer.from(be32(crc32(content)))]);
}
const png = (width, height, bits, color, interlace, data, before = Buffer.alloc(0)) =>
  Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", [...be32(width), ...be32(height), bits, color, 0, 0, interlace]),
    before,
    chunk("IDAT", data),
    chunk("IEND", []),
  ]);
const zeros = (bytes) => deflateSync(Buffer.alloc(bytes), { level: 9 });

/** A deflate stream of blocks with codes of their own, of which each has nothing but its end. */
function emptyBlocks(count) {
  const bits = [];
  const put = (value, size) => {
    for (let i = 0; i < size; i++) bits.push((value >> i) & 1);
  };
  // Header, 257 literals, 1 distance, 18 lengths of the code of lengths: 18 (a run of zeros) and 1 have one bit each.
  put(0, 1);
  put(2, 2);
  put(0, 5);
  put(0, 5);
  put(14, 4);
  for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1])
    put(symbol === 18 || symbol === 1 ? 1 : 0, 3);
  put(1, 1); // 138 zeros
  put(127, 7);
  put(1, 1); // 118 zeros
  put(107, 7);
  put(0, 1); // 256 has a length of 1
  put(0, 1); // so has the only distance
  put(0, 1); // the end of the block
  const bytes = Buffer.alloc(2 + Math.ceil((bits.length * count) / 8));
  bytes[0] = 0x78;
  bytes[1] = 0x01;
  for (let i = 0; i < bits.length * count; i++) bytes[2 + (i >> 3)] |= bits[i % bits.length] << (i & 7);
  return bytes;
}

const PNGS = {
  "PNG of 100 MP": () => png(WIDE, TALL, 8, 2, 0, zeros((WIDE * 3 + 1) * TALL)),
  "PNG of 100 MP, palette": () => png(WIDE, TALL, 1, 0, 0, zeros((1250 + 1) * TALL)),
  "interlaced PNG of 20,000 rows": () => png(4900, 20_000, 1, 0, 1, zeros(((4900 * 20_000) / 8) * 1.2)),
  "PNG of 260,000 rows": () => png(380, 260_000, 8, 0, 0, zeros(381 * 260_000)),
  "PNG of 260,000 columns": () => png(260_000, 380, 8, 0, 0, zeros(260_001 * 380)),
  "PNG of 400,000 columns": () => png(400_000, 240, 8, 0, 0, zeros(400_001 * 240)),
  "PNG of 100,000 rows": () => png(1000, 100_000, 8, 0, 0, zeros(1001 * 100_000)),
  "PNG of 1,000,000 rows": () => png(100, 1_000_000, 8, 0, 0, zeros(101 * 1_000_000)),
  "PNG of empty deflate blocks": () => png(1000, 1000, 8, 0, 0, emptyBlocks(300_000)),
  "PNG of 99,000 empty IDATs": () => png(1000, 1000, 8, 0, 0, zeros(1_001_000), repeat(99_000, chunk("IDAT", []))),
  "PNG with 10 MB of text": () => png(1000, 1000, 8, 0, 0, zeros(1_001_000), chunk("tEXt", Buffer.alloc(10 << 20))),
};

// ---- GIF ----

const le16 = (value) => [value & 255, value >> 8];
const gif = (width, height, frame, codes, before = Buffer.alloc(0)) =>
  Buffer.concat([
    Buffer.from("GIF89a"),
    Buffer.from([...le16(width), ...le16(height), 0x80, 0, 0, 1, 2, 3, 4, 5, 6]),
    before,
    Buffer.from([0x2c, ...frame.slice(0, 4).flatMap(le16), frame[4] ?? 0, 2]),
    ...Array.from({ length: Math.ceil(codes.length / 255) }, (_, i) => {
      const block = codes.subarray(255 * i, 255 * i + 255);
      return Buffer.concat([Buffer.of(block.length), block]);
    }),
    Buffer.from([0, 0x3b]),
  ]);

/** LZW of `pixels` zeros in as few codes as can be: the string grows by one with each. */
function lzwOfZeros(pixels) {
  const bits = [];
  let size = 3;
  let next = 6;
  const put = (code) => {
    for (let i = 0; i < size; i++) bits.push((code >> i) & 1);
  };
  put(4);
  put(0);
  for (let made = 1, length = 2; made < pixels; made += length, length = Math.min(length + 1, 4091)) {
    put(Math.min(next, 4095));
    if (next < 4096) next++;
    if (next === 1 << size && size < 12) size++;
  }
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8) + 4);
  bits.forEach((bit, i) => {
    bytes[i >> 3] |= bit << (i & 7);
  });
  return bytes;
}

const GIFS = {
  "GIF of a pixel on 100 MP": () => gif(65535, 1525, [0, 0, 1, 1], lzwOfZeros(1)),
  "GIF of a pixel below 100 MP": () => gif(10_000, 9_999, [0, 9_998, 1, 1], lzwOfZeros(1)),
  "GIF of a column on 100 MP": () => gif(65535, 1525, [0, 0, 1, 1525], lzwOfZeros(1525)),
  "GIF of a column of 65535": () => gif(1525, 65535, [0, 0, 1, 65535], lzwOfZeros(65535)),
  "GIF of 100 MP": () => gif(10_000, 9_999, [0, 0, 10_000, 9_999], lzwOfZeros(99_990_000)),
  "GIF of 100 MP, interlaced": () => gif(10_000, 9_999, [0, 0, 10_000, 9_999, 0x40], lzwOfZeros(99_990_000)),
  "GIF of clear codes": () => gif(1000, 1000, [0, 0, 1000, 1000], repeat(3 << 20, [0x24, 0x49, 0x92])),
  "GIF of extensions": () =>
    gif(1000, 1000, [0, 0, 1000, 1000], lzwOfZeros(1_000_000), repeat(99_000, [0x21, 0xfe, 1, 0, 0])),
  "GIF of 5,000,000 blocks of comment": () =>
    gif(
      1000,
      1000,
      [0, 0, 1000, 1000],
      lzwOfZeros(1_000_000),
      Buffer.concat([Buffer.of(0x21, 0xfe), repeat(5_000_000, [1, 0]), Buffer.of(0)]),
    ),
};

// ---- BMP ----

const le32 = (value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const bmp = (width, height, bits, compression, data) =>
  Buffer.concat([
    Buffer.from([
      ...Buffer.from("BM"),
      ...le32(0),
      ...le32(0),
      ...le32(62),
      ...le32(40),
      ...le32(width),
      ...le32(height),
    ]),
    Buffer.from(
      [
        ...le16(1),
        ...le16(bits),
        ...le32(compression),
        ...Array(8).fill(0),
        ...Array(4).fill(0),
        ...le32(2),
        ...le32(0),
      ].slice(0, 28),
    ),
    Buffer.alloc(8),
    data,
  ]);

const BMPS = {
  "BMP of 100 MP that ends at once": () => bmp(10_000, 9_999, 8, 1, Buffer.of(0, 1)),
  "BMP of 255 rows and a delta": () => bmp(260_000, 255, 8, 1, Buffer.of(0, 2, 0, 255)),
  "BMP of deltas": () => bmp(10_000, 9_999, 8, 1, repeat(40, [0, 2, 0, 255])),
  "BMP of 10 MB of runs past the end": () => bmp(100, 100, 8, 1, repeat(5 << 20, [255, 0])),
  "BMP of 100 MP of runs": () => bmp(10_000, 9_999, 8, 1, repeat(9_999, [...repeat(40, [250, 0]), 0, 0])),
};

// ---- WebP ----

const riff = (...chunks) => {
  const body = Buffer.concat([Buffer.from("WEBP"), ...chunks]);
  return Buffer.concat([Buffer.from("RIFF"), Buffer.from(le32(body.length)), body]);
};
const riffChunk = (tag, data) =>
  Buffer.concat([Buffer.from(tag), Buffer.from(le32(data.length)), data, Buffer.alloc(data.length & 1)]);

class Bits {
  bytes = [];
  #held = 0;
  #count = 0;
  put(value, size) {
    for (let i = 0; i < size; i++) {
      this.#held |= ((value >>> i) & 1) << this.#count;
      if (++this.#count === 8) {
        this.bytes.push(this.#held);
        this.#held = this.#count = 0;
      }
    }
    return this;
  }
  end(padding = 16) {
    return Buffer.from([...this.bytes, this.#held, ...Array(padding).fill(0)]);
  }
}

/** Five codes of one symbol each, which take no bits: all pixels are the same. */
const oneSymbolCodes = (bits, green = 0) => {
  for (const symbol of [green, 0, 0, 0, 0]) bits.put(1, 1).put(0, 1).put(1, 1).put(symbol, 8);
};
/** Green of two symbols, of a bit each: neither trivial nor long. */
const twoSymbolCodes = (bits) => {
  bits.put(1, 1).put(1, 1).put(1, 1).put(0, 8).put(1, 8);
  for (let i = 0; i < 4; i++) bits.put(1, 1).put(1, 1).put(1, 1).put(0, 8).put(1, 8);
};
const vp8l = (width, height) =>
  new Bits()
    .put(0x2f, 8)
    .put(width - 1, 14)
    .put(height - 1, 14)
    .put(0, 4);
const lossless = (bits, ...more) => riff(riffChunk("VP8L", bits.end()), ...more);

function losslessOfOneColour(width, height, transforms) {
  const bits = vp8l(width, height);
  for (const [type, size] of transforms) {
    bits.put(1, 1).put(type, 2);
    if (type === 0 || type === 1) {
      bits.put(size - 2, 3).put(0, 1);
      oneSymbolCodes(bits, type === 0 ? 1 : 0);
    }
  }
  bits.put(0, 1).put(0, 1).put(0, 1); // no more transforms, no colour cache, no groups of codes
  oneSymbolCodes(bits);
  return lossless(bits);
}

/** As many groups of codes as can be: `used` is told by an image of them, of blocks of `4` pixels. */
function losslessOfGroups(width, height, groups) {
  const bits = vp8l(width, height);
  bits.put(0, 1).put(0, 1).put(1, 1).put(0, 3); // groups by blocks of 4 x 4 pixels
  // The image of groups: green and red, of two symbols each, make numbers up to 65535.
  bits.put(0, 1);
  bits
    .put(1, 1)
    .put(1, 1)
    .put(1, 1)
    .put(0, 8)
    .put((groups - 1) & 255, 8);
  bits
    .put(1, 1)
    .put(1, 1)
    .put(1, 1)
    .put(0, 8)
    .put((groups - 1) >> 8, 8);
  for (let i = 0; i < 3; i++) bits.put(1, 1).put(0, 1).put(0, 1).put(0, 1);
  const pixels = Math.ceil(width / 4) * Math.ceil(height / 4);
  for (let i = 0; i < pixels; i++) bits.put(i === 0 ? 3 : 0, 2);
  for (let i = 0; i < groups; i++) oneSymbolCodes(bits);
  return lossless(bits);
}

/** A sub-image of two-bit symbols for each pixel of the predictor's blocks. */
function losslessOfSubImage(width, height) {
  const bits = vp8l(width, height);
  bits.put(1, 1).put(0, 2).put(0, 3).put(0, 1);
  twoSymbolCodes(bits);
  const pixels = Math.ceil(width / 4) * Math.ceil(height / 4);
  const head = bits.end(0);
  return riff(riffChunk("VP8L", Buffer.concat([head, Buffer.alloc(Math.ceil((pixels * 5) / 8) + 1000, 0x5a)])));
}

const WEBPS = {
  "WebP of 100 MP of one colour": () => losslessOfOneColour(WIDE, TALL, []),
  "WebP of 100 MP, transformed": () => losslessOfOneColour(WIDE, TALL, [[0, 9], [1, 9], [2]]),
  "WebP of small prediction blocks": () => losslessOfOneColour(WIDE, TALL, [[0, 2], [2]]),
  "WebP of small blocks at 50 MP": () => losslessOfOneColour(9999, 5000, [[0, 2], [1, 2], [2]]),
  "WebP of a large sub-image": () => losslessOfSubImage(WIDE, TALL),
  "WebP of 65,536 groups of codes": () => losslessOfGroups(1024, 1024, 65_536),
  "WebP of 1,000 groups of codes": () => losslessOfGroups(1024, 1024, 1000),
  "WebP of 99,000 chunks": () =>
    riff(...times(99_000, riffChunk("JUNK", Buffer.alloc(40))), riffChunk("VP8L", Buffer.alloc(8))),
  "WebP of 100 EXIF chunks": () => {
    const tiff = Buffer.concat([Buffer.from("MM\0\x2a\0\0\0\x08\xff\xff", "latin1"), Buffer.alloc(65_526, 1)]);
    return riff(
      ...times(100, riffChunk("EXIF", tiff)),
      riffChunk("VP8L", losslessOfOneColour(64, 64, []).subarray(20)),
    );
  },
};

// ---- TIFF and PNM ----

/** Grey of 8 bits; the directory stands behind the strips, or with `late: false` in front of them. */
function tiff(width, height, compression, strips, rows, { late = true } = {}) {
  const data = Buffer.concat(strips);
  const size = 2 + 8 * 12 + 4;
  const lists = strips.length > 1 ? strips.length * 8 : 0;
  const pixels = late ? 8 : 8 + size + lists;
  const directoryAt = late ? 8 + data.length : 8;
  const offsets = [];
  strips.reduce((at, strip) => {
    offsets.push(at);
    return at + strip.length;
  }, pixels);
  const counts = strips.map((strip) => strip.length);
  const listAt = directoryAt + size;
  const [first, second] = lists ? [listAt, listAt + strips.length * 4] : [offsets[0], counts[0]];
  const entry = (tag, count, value) => [...le16(tag), ...le16(4), ...le32(count), ...le32(value)];
  const directory = Buffer.from([
    ...le16(8),
    ...entry(256, 1, width),
    ...entry(257, 1, height),
    ...entry(258, 1, 8),
    ...entry(259, 1, compression),
    ...entry(262, 1, 1),
    ...entry(273, strips.length, first),
    ...entry(278, 1, rows),
    ...entry(279, strips.length, second),
    ...le32(0),
  ]);
  const numbers = lists ? Buffer.from([...offsets, ...counts].flatMap(le32)) : Buffer.alloc(0);
  const head = Buffer.from([...Buffer.from("II*\0"), ...le32(directoryAt)]);
  return Buffer.concat(late ? [head, data, directory, numbers] : [head, directory, numbers, data]);
}

const TIFFS = {
  "TIFF of 100 MP in Deflate": () => tiff(WIDE, TALL, 8, [zeros(WIDE * TALL)], TALL),
  "TIFF of 100,000 strips": () => tiff(1000, 100_000, 8, Array(100_000).fill(zeros(1000)), 1, { late: false }),
  "TIFF of 100,000 strips in one place": () => {
    const file = tiff(1000, 100_000, 8, Array(100_000).fill(zeros(1000)), 1, { late: false });
    const list = 8 + 2 + 8 * 12 + 4;
    for (let i = 0; i < 100_000; i++) file.writeUInt32LE(file.readUInt32LE(list), list + 4 * i);
    return file;
  },
  "TIFF of clear codes": () =>
    tiff(1000, 1000, 5, [repeat(2 << 20, [0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01, 0])], 1000),
  "TIFF of PackBits without bytes": () => tiff(1000, 1000, 32773, [Buffer.alloc(20 << 20, 0x80)], 1000),
  "TIFF of 260,000 columns": () => tiff(260_000, 380, 8, [zeros(260_000 * 380)], 380),
  "TIFF of empty deflate blocks": () => tiff(1000, 1000, 8, [emptyBlocks(300_000)], 1000),
  "PNM with 20 MB of comment": () =>
    Buffer.concat([Buffer.from("P5 #"), Buffer.alloc(FILL, 0x20), Buffer.from("\n9 9 255\n"), Buffer.alloc(81)]),
  "PNM of 260,000 rows": () => Buffer.concat([Buffer.from("P5 20 260000 255\n"), Buffer.alloc(20 * 260_000)]),
};

/** [what the file is, how it is made] */
export const HOSTILE = Object.entries({ ...JPEGS, ...PNGS, ...GIFS, ...BMPS, ...WEBPS, ...TIFFS });
