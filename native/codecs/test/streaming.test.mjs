// The stream: chunks of any size, slices of any size, crops, output sizes, and one instance for many images.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, instantiate, Status } from "./host.mjs";
import { difference, files, plainResize, readReference, reference } from "./reference.mjs";

const skip = reference ? false : "LABELER_REFERENCE is not set";
const variants = skip ? new Map() : new Map(files("corpus", "variants").map(({ name, read }) => [name, read]));
const read = (name) => variants.get(name)();

const EACH_KIND = [
  ..."base420.jpg prog420.jpg exif6.jpg arith.jpg rst.jpg cmyk.jpg go-v.separate.dc.progression.jpg".split(" "),
  ..."rgb8.png pal1.png inter8.png interpal4.png rgba16.png apng.png".split(" "),
  ..."lossy.webp ll.webp anim.webp alpha.webp p.gif inter.gif offs.gif b24.bmp b1.bmp rle8.bmp topdown.bmp".split(" "),
];

describe("input in chunks", { skip }, () => {
  for (const name of EACH_KIND) {
    it(`${name} comes out the same from chunks of 1, 7, 1000 and all bytes`, () => {
      const bytes = read(name);
      const whole = decode(bytes, { chunkBytes: bytes.length });
      for (const chunkBytes of [1, 7, 1000]) {
        const parts = decode(bytes, { chunkBytes });
        assert.equal(parts.status, whole.status);
        assert.deepEqual(difference(parts.data, whole.data), { mean: 0, max: 0 });
      }
    });
  }
  it("a PNG is done before its last bytes, and a JPEG too", () => {
    for (const name of ["rgb8.png", "trailing.jpg"]) {
      const bytes = read(name);
      const padded = Buffer.concat([bytes, Buffer.alloc(1 << 20)]);
      assert.ok(decode(padded, { chunkBytes: 4096 }).used < bytes.length + 8192);
    }
  });
});

describe("work in slices", { skip }, () => {
  for (const name of EACH_KIND) {
    it(`${name} comes out the same in slices of 1 and 50 rows`, () => {
      const bytes = read(name);
      const whole = decode(bytes);
      for (const slice of [1, 50]) {
        const sliced = decode(bytes, { slice, chunkBytes: bytes.length });
        assert.deepEqual(difference(sliced.data, whole.data), { mean: 0, max: 0 });
        assert.ok(sliced.calls >= whole.info.rows / (slice + 32), `${sliced.calls} calls`);
      }
    });
  }
});

describe("crop and output size", { skip }, () => {
  for (const name of EACH_KIND) {
    it(`${name}: crops to any size are those of a plain resize`, () => {
      const bytes = read(name);
      const { info } = decode(bytes);
      const full = decode(bytes, { width: info.width, height: info.height }).data; // the identity
      const [w, h] = [info.width, info.height];
      const cases = [
        [[0, 0, w, h], 64, 96],
        [[w >> 3, h >> 3, w - (w >> 2), h - (h >> 2)], 224, 224],
        [[5, 3, 11, 7], 40, 30],
        [[w - 33, h - 21, 33, 21], 33, 21],
        [[1, 0, w - 1, 1], 10, 1],
      ];
      for (const [crop, width, height] of cases) {
        const { data, status } = decode(bytes, { crop, width, height });
        assert.equal(status, Status.DONE);
        const wanted = plainResize(full, w, crop, width, height);
        assert.deepEqual(difference(data, wanted), { mean: 0, max: 0 }, `crop ${crop} to ${width}x${height}`);
      }
    });
  }
  it("the plain resize is Pillow's", () => {
    const bytes = read("rgb8.png");
    const { info } = decode(bytes);
    const full = decode(bytes, { width: info.width, height: info.height }).data;
    const resized = plainResize(full, info.width, [0, 0, info.width, info.height], 224, 224);
    const reference = readReference("corpus/reference224/rgb8.png.png");
    assert.deepEqual(difference(resized, reference.pixels), { mean: 0, max: 0 });
  });
  it("decoding stops with the crop's last row", () => {
    const bytes = read("rgb8.png");
    const { used, info } = decode(bytes, { crop: [0, 0, 100, 20], chunkBytes: 1024 });
    assert.equal(info.rows, 20);
    assert.ok(used < bytes.length / 4);
  });
});

describe("one instance for many images", { skip }, () => {
  it("decodes every kind in turn without remembering or growing", () => {
    const codecs = instantiate();
    const once = new Map(EACH_KIND.map((name) => [name, decode(read(name)).data]));
    let size = 0;
    for (let round = 0; round < 3; round++) {
      for (const name of EACH_KIND) {
        assert.deepEqual(difference(decode(read(name), { codecs }).data, once.get(name)), { mean: 0, max: 0 }, name);
      }
      if (round === 0) size = codecs.memory.buffer.byteLength;
      assert.equal(codecs.memory.buffer.byteLength, size);
    }
  });
});
