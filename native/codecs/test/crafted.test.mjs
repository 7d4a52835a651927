// Files made here, byte by byte, for what the corpus does not have: odd BMPs, EXIF in PNG and WebP, damaged EXIF.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import { CodecError, decode, instantiate, Status } from "./host.mjs";

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

describe("a PNG with a palette", () => {
  const [width, height] = [37, 45];
  const colors = Array.from({ length: 256 }, (_, i) => [(i * 7) & 255, (i * 31) & 255, 255 - i]);
  const index = (x, y) => (x * 5 + y * y * 3) & 255;
  const columns = Array.from({ length: width }, (_, x) => x);
  const file = (type, rows, ...before) =>
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
      chunk("IHDR", [0, 0, 0, width, 0, 0, 0, height, 8, type, 0, 0, 0]),
      ...before,
      chunk("IDAT", deflateSync(Buffer.from(rows.flat()))),
      chunk("IEND", []),
    ]);
  const rows = Array.from({ length: height }, (_, y) => y);
  const plain = file(
    2,
    rows.map((y) => [0, ...columns.flatMap((x) => colors[index(x, y)])]),
  );
  /** Rows for which `up` answers true are stored as differences from the row above. */
  const indexed = (up) => {
    const data = rows.map((y) => [up(y) ? 2 : 0, ...columns.map((x) => index(x, y) - (up(y) ? index(x, y - 1) : 0))]);
    return file(3, data, chunk("PLTE", colors.flat()));
  };

  for (const [name, up] of [
    ["no row is", () => false],
    ["some rows are", (y) => y % 13 === 12 || y === 8],
  ]) {
    for (const crop of [undefined, [3, 5, 31, 33], [0, 9, 37, 7]]) {
      it(`of which ${name} filtered has its colours, crop ${crop ?? "none"}`, () => {
        const options = { width: 20, height: 11, ...(crop && { crop }) };
        const { status, data } = decode(indexed(up), options);
        assert.equal(status, Status.DONE);
        assert.deepEqual(data, decode(plain, options).data);
      });
    }
  }
});

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

describe("order: as if the picture had been turned before", () => {
  const random = ((seed) => () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed >>> 24;
  })(1);
  /** A pixel's place in the picture that is mirrored (1, 2) and transposed (4), of a stored one of width by height. */
  const place = (order, x, y, width, height) => {
    const [column, row] = [order & 1 ? width - 1 - x : x, order & 2 ? height - 1 - y : y];
    return order & 4 ? column * height + row : row * width + column;
  };
  const turned = (order, data, width, height) => {
    const result = new Uint8Array(data.length);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 3) {
        result.set(data.subarray(at, at + 3), 3 * place(order, x, y, width, height));
      }
    }
    return result;
  };
  const picture = (data, width, height) => {
    const stride = Math.ceil((width * 3) / 4) * 4;
    const rows = new Uint8Array(stride * height);
    for (let y = 0; y < height; y++) rows.set(data.subarray(y * width * 3, (y + 1) * width * 3), y * stride);
    return Buffer.from(bmp(width, -height, 24, [...rows]));
  };
  const [width, height] = [37, 26];
  const stored = Uint8Array.from({ length: width * height * 3 }, random);

  for (const [outWidth, outHeight] of [
    [8, 7],
    [90, 5], // wider than the picture: the horizontal pass makes more than it takes
    [5, 90],
    [1, 1],
  ]) {
    for (let order = 1; order < 8; order++) {
      it(`${order}, to ${outWidth} × ${outHeight}`, () => {
        const swap = (a, b) => (order & 4 ? [b, a] : [a, b]);
        const { data } = decode(picture(stored, width, height), { width: outWidth, height: outHeight, order });
        const [seenWidth, seenHeight] = swap(width, height);
        const [seenOutWidth, seenOutHeight] = swap(outWidth, outHeight);
        const seen = picture(turned(order, stored, width, height), seenWidth, seenHeight);
        const expected = decode(seen, { width: seenOutWidth, height: seenOutHeight }).data;
        assert.deepEqual(turned(order, data, outWidth, outHeight), expected);
      });
    }
  }
  it("is the same in an instance that knows the weights of the picture before", () => {
    const codecs = instantiate();
    const file = picture(stored, width, height);
    const turns = [0, 0, 1, 1, 3, 2, 0].map((order) => ({ order }));
    const crops = [[0, 0, width, height - 1], [0, 0, width, height - 1], undefined].map((crop) => crop && { crop });
    const sizes = [{ height: 9 }, { width: 300 }, { width: 8 }, {}]; // 300: too many to be remembered
    for (const options of [...turns, ...crops, ...sizes]) {
      const asked = { width: 8, height: 7, ...options };
      assert.deepEqual(decode(file, { ...asked, codecs }).data, decode(file, asked).data);
    }
  });
});

describe("Adam7", () => {
  const [width, height] = [43, 29];
  const pixel = (x, y) => [(x * 37 + y * y) & 255, (x * y * 11) & 255, ((x ^ (y * 5)) * 3) & 255];
  const PASSES = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ];
  /** Where the second pass begins among the rows. */
  const secondPass = Math.ceil(height / 8) * (1 + 3 * Math.ceil(width / 8));
  const picture = (passes, { orientation = 1, damaged = false } = {}) => {
    const rows = [];
    for (const [left, top, stepX, stepY] of passes) {
      for (let y = top; y < height; y += stepY) {
        rows.push(0);
        for (let x = left; x < width; x += stepX) rows.push(...pixel(x, y));
      }
    }
    if (damaged) rows[secondPass] = 9; // no such filter
    const be = (v) => [v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255];
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
      chunk("IHDR", [...be(width), ...be(height), 8, 2, 0, 0, passes.length > 1 ? 1 : 0]),
      chunk("eXIf", tiff(orientation)),
      chunk("IDAT", deflateSync(Buffer.from(rows))),
      chunk("IEND", []),
    ]);
  };
  const plain = (options) => picture([[0, 0, 1, 1]], options);

  for (let order = 0; order < 8; order++) {
    it(`is the same as the picture in one pass, whole and cropped, in order ${order}`, () => {
      for (const [outWidth, outHeight] of [
        [9, 7],
        [60, 8],
        [6, 50],
        [width, height],
      ]) {
        for (const crop of [undefined, [3, 5, 31, 17]]) {
          const options = { width: outWidth, height: outHeight, order, ...(crop && { crop }) };
          const interlaced = decode(picture(PASSES, { orientation: 1 + order }), options);
          const wanted = decode(plain({ orientation: 1 + order }), options);
          assert.equal(interlaced.status, Status.DONE);
          assert.equal(interlaced.info.orientation, 1 + order);
          assert.deepEqual(interlaced.data, wanted.data);
        }
      }
    });
  }
  it("leaves nothing behind when it breaks off within a pass", () => {
    const codecs = instantiate();
    const wanted = decode(plain()).data;
    assert.throws(() => decode(picture(PASSES, { damaged: true }), { codecs }), CodecError);
    assert.deepEqual(decode(plain(), { codecs }).data, wanted);
  });
});
