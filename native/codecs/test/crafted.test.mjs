// Files made here, byte by byte, for what the corpus does not have: odd BMPs, EXIF in PNG and WebP, damaged EXIF.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import { decode, Status } from "./host.mjs";

/** The pixels of an image as rows of [r, g, b]: resizing to the same size changes nothing. */
function pixels(bytes, width, height) {
  const { data, status, info } = decode(Buffer.from(bytes), { width, height });
  assert.equal(status, Status.DONE);
  assert.deepEqual([info.width, info.height], [width, height]);
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]),
  );
}

const le = (size, ...values) => values.flatMap((v) => Array.from({ length: size }, (_, i) => (v >>> (8 * i)) & 255));

function bmp(width, height, bits, data, { compression = 0, masks = [], palette = [], core = false } = {}) {
  const colors = palette.flatMap(([r, g, b]) => (core ? [b, g, r] : [b, g, r, 0]));
  const header = core
    ? [...le(4, 12), ...le(2, width, height, 1, bits)]
    : [...le(4, 40, width, height), ...le(2, 1, bits), ...le(4, compression, data.length, 0, 0, palette.length, 0)];
  const start = 14 + header.length + masks.length * 4 + colors.length;
  return [66, 77, ...le(4, start + data.length, 0, start), ...header, ...le(4, ...masks), ...colors, ...data];
}

const K = [0, 0, 0];
const R = [255, 0, 0];
const G = [0, 255, 0];
const B = [0, 0, 255];
const PALETTE = [K, R, G, B];

describe("BMP", () => {
  it("2 bits, bottom-up", () => {
    const rows = [0b00011011, 0, 0, 0, 0b11000000, 0, 0, 0];
    assert.deepEqual(pixels(bmp(4, 2, 2, rows, { palette: PALETTE }), 4, 2), [
      [B, K, K, K],
      [K, R, G, B],
    ]);
  });
  it("top-down is a negative height", () => {
    const rows = [1, 2, 0, 0, 3, 0, 0, 0];
    assert.deepEqual(pixels(bmp(2, -2, 8, rows, { palette: PALETTE }), 2, 2), [
      [R, G],
      [B, K],
    ]);
  });
  it("OS/2's header with three bytes a colour", () => {
    const file = bmp(2, 1, 4, [0x12, 0, 0, 0], { palette: PALETTE, core: true });
    assert.deepEqual(pixels(file, 2, 1), [[R, G]]);
  });
  it("16 bits: five a colour, and any bit fields", () => {
    assert.deepEqual(pixels(bmp(2, 1, 16, le(2, 0x7c00, 0x03e0)), 2, 1), [[R, G]]);
    const masks = [0x00f0, 0x0f00, 0xf000];
    const file = bmp(2, 1, 16, le(2, 0x00f0, 0x8000), { compression: 3, masks });
    assert.deepEqual(pixels(file, 2, 1), [[R, [0, 0, 136]]]);
  });
  it("RLE8: a run, a line end, a literal run with padding, a delta, an early end", () => {
    const data = [2, 1, 1, 2, 0, 0, 0, 3, 3, 2, 1, 0, 0, 2, 1, 1, 1, 3, 0, 1];
    assert.deepEqual(pixels(bmp(3, 4, 8, data, { compression: 1, palette: PALETTE }), 3, 4), [
      [K, B, K],
      [K, K, K],
      [B, G, R],
      [R, R, G],
    ]);
  });
  it("RLE4: a run by turns, an odd literal run", () => {
    const data = [3, 0x12, 0, 0, 0, 3, 0x32, 0x10, 0, 1];
    assert.deepEqual(pixels(bmp(3, 2, 4, data, { compression: 2, palette: PALETTE }), 3, 2), [
      [B, G, R],
      [R, G, R],
    ]);
  });
});

const chunk = (type, data) => {
  const body = Buffer.concat([Buffer.from(type), Buffer.from(data)]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
};

function png(...before) {
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]),
    ...before,
    chunk("IDAT", deflateSync(Buffer.from([0, 255, 0, 0]))),
    chunk("IEND", []),
  ]);
}

/** A TIFF structure with one directory entry: orientation. */
const tiff = (orientation) => [73, 73, ...le(2, 42), ...le(4, 8), ...le(2, 1, 0x112, 3), ...le(4, 1, orientation)];

describe("EXIF", () => {
  it("in a PNG before its pixels", () => {
    assert.equal(decode(png(chunk("eXIf", tiff(6)))).info.orientation, 6);
    assert.equal(decode(png()).info.orientation, 1);
  });
  it("that is cut short or nonsense is orientation 1", () => {
    for (let size = 0; size < 22; size++) {
      assert.equal(decode(png(chunk("eXIf", tiff(6).slice(0, size)))).info.orientation, 1);
    }
    assert.equal(decode(png(chunk("eXIf", tiff(9)))).info.orientation, 1);
    const far = tiff(6);
    far.splice(4, 4, ...le(4, 0xfffffff0));
    assert.equal(decode(png(chunk("eXIf", far))).info.orientation, 1);
  });
  it("in a WebP, after its pixels", () => {
    // 1 x 1, lossless: all five codes have one symbol, so that the pixel takes no bits at all.
    const bits = [0x2f, 0, 0, 0, 0, 0x88, 0x88, 0xfe, 7, 0];
    const riff = (type, data) => [
      ...Buffer.from(type),
      ...le(4, data.length),
      ...data,
      ...(data.length & 1 ? [0] : []),
    ];
    const vp8x = riff("VP8X", [8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const body = [...Buffer.from("WEBP"), ...vp8x, ...riff("VP8L", bits), ...riff("EXIF", tiff(8))];
    const { info, status } = decode(Buffer.from([...Buffer.from("RIFF"), ...le(4, body.length), ...body]));
    assert.equal(status, Status.DONE);
    assert.equal(info.orientation, 8);
  });
});
