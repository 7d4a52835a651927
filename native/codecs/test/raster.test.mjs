// TIFF and PNM of every variant against Pillow 12.2, in chunks of any size, cut and damaged.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CodecError, decode, Status, sniff } from "./host.mjs";

const [width, height] = [19, 15];
const cases = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/formats/raster.json", import.meta.url), "utf8"),
).map(({ name, format, file, rgb }) => ({
  name: `${format}, ${name}`,
  format,
  file: Buffer.from(file, "base64"),
  rgb: new Uint8Array(Buffer.from(rgb, "base64")),
}));

describe("TIFF and PNM", () => {
  it("there are files of both", () => {
    assert.ok(cases.filter(({ format }) => format === "tiff").length > 50);
    assert.equal(cases.filter(({ format }) => format === "pnm").length, 10);
  });
  for (const { name, format, file, rgb } of cases) {
    it(`${name}: Pillow's pixels, in chunks and slices of any size`, () => {
      assert.equal(sniff(file), format);
      for (const [chunkBytes, slice] of [
        [65536, 0],
        [1, 0],
        [37, 2],
      ]) {
        const { status, data, info } = decode(file, { width, height, chunkBytes, slice });
        assert.equal(status, Status.DONE);
        assert.deepEqual([info.width, info.height], [width, height]);
        assert.deepEqual(data, rgb);
      }
    });
    it(`${name}: cut anywhere is empty or truncated`, () => {
      for (let end = 0; end < file.length - 1; end += 1 + (file.length >> 6)) {
        let status;
        try {
          status = decode(file.subarray(0, end), { width, height, format }).status;
        } catch (error) {
          assert.ok(error instanceof CodecError, error.stack);
          status = error.status;
        }
        // Metadata may stand behind the pixels, and LZW may end with an EOI that is not needed.
        assert.ok([Status.EMPTY, Status.TRUNCATED, Status.DONE].includes(status), `${end}: ${status}`);
      }
    });
  }
});

/** A little-endian TIFF of one strip. */
function tiff(fields, data = []) {
  const entries = Object.entries({
    256: 4,
    257: 2,
    258: 8,
    259: 1,
    262: 1,
    273: 8,
    278: 2,
    279: data.length,
    ...fields,
  })
    .filter(([, value]) => value !== undefined)
    .map(([tag, value]) => [Number(tag), value]);
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  directory.writeUInt16LE(entries.length, 0);
  entries.forEach(([tag, value], i) => {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(4, 4 + 12 * i);
    directory.writeUInt32LE(1, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  });
  const head = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(8 + data.length, 4);
  return Buffer.concat([head, Buffer.from(data), directory]);
}

describe("a TIFF", () => {
  const PIXELS = [0, 10, 20, 30, 40, 50, 60, 70];
  const outcome = (file) => {
    try {
      const { status, info } = decode(file, { width: 4, height: 2 });
      return [status, info.orientation];
    } catch (error) {
      assert.ok(error instanceof CodecError, error.stack);
      return [error.status, error.info.unsupported];
    }
  };
  it("has the orientation of its tag", () => {
    assert.deepEqual(outcome(tiff({}, PIXELS)), [Status.DONE, 1]);
    assert.deepEqual(outcome(tiff({ 274: 6 }, PIXELS)), [Status.DONE, 6]);
    assert.deepEqual(outcome(tiff({ 274: 9 }, PIXELS)), [Status.DONE, 1]);
  });
  for (const [name, fields, kind] of [
    ["in tiles", { 322: 16 }, 7],
    ["of CCITT", { 259: 4 }, 8],
    ["of JPEG", { 259: 7 }, 8],
    ["with the lowest bit first", { 266: 2 }, 8],
    ["of 1 bit", { 258: 1 }, 9],
    ["with a palette", { 262: 3 }, 9],
    ["of floats", { 258: 16, 339: 3 }, 9],
    ["in planes", { 277: 3, 262: 2, 284: 2 }, 9],
  ]) {
    it(`${name} is refused by its kind`, () =>
      assert.deepEqual(outcome(tiff(fields, PIXELS)), [Status.UNSUPPORTED, kind]));
  }
  for (const [name, fields] of [
    ["without rows in a strip", { 278: 0 }],
    ["with fewer strips than rows", { 278: 1 }],
    ["with a strip that is too short", { 279: 5 }],
    ["of no width", { 256: 0 }],
    ["whose LZW begins with a code that is not there", { 259: 5 }, [0xff, 0xff, 0xff, 0xff]],
    ["whose Deflate is none", { 259: 8 }],
  ]) {
    it(`${name} is broken`, () =>
      assert.equal(
        outcome(
          tiff(
            fields,
            PIXELS.map((v) => v + 200),
          ),
        )[0],
        Status.BROKEN,
      ));
  }
});
