// Several crops of one image: one decode gives each as if it were alone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { decode, instantiate, Status } from "./host.mjs";
import { difference, files, reference } from "./reference.mjs";

const skip = reference ? false : "LABELER_REFERENCE is not set";
const variants = skip ? new Map() : new Map(files("corpus", "variants").map(({ name, read }) => [name, read]));

const EACH_KIND = [
  ..."base420.jpg prog420.jpg arith.jpg rst.jpg cmyk.jpg go-v.separate.dc.progression.jpg".split(" "),
  ..."rgb8.png pal1.png inter8.png interpal4.png rgba16.png".split(" "),
  ..."lossy.webp ll.webp anim.webp p.gif inter.gif offs.gif b24.bmp b1.bmp rle8.bmp topdown.bmp".split(" "),
];

const ROWS_FIRST = 4;

/** Apart, overlapping, one within another, of one pixel, and one whose columns are resized last. */
const cropsOf = ({ width: w, height: h }) => [
  [0, 0, w >> 1, h >> 1, 0],
  [w >> 2, h >> 2, w >> 1, h >> 1, 0],
  [(w >> 2) + 1, (h >> 2) + 1, 8, 8, 0],
  [w - 1, h - 1, 1, 1, 0],
  [0, h - (h >> 3) - 1, w, h >> 3, ROWS_FIRST],
];

describe("several crops", { skip }, () => {
  for (const name of EACH_KIND) {
    it(`${name}: each comes out as if it were alone, in chunks and slices too`, () => {
      const bytes = variants.get(name)();
      const size = { width: 24, height: 31 };
      const all = cropsOf(decode(bytes, size).info);
      const alone = all.map(([x, y, width, height, order]) =>
        decode(bytes, { ...size, crop: [x, y, width, height], order }),
      );
      for (const options of [{}, { chunkBytes: 1000, slice: 3 }]) {
        const [[x, y, width, height, order], ...further] = all;
        const together = decode(bytes, { ...size, ...options, crop: [x, y, width, height], order, further });
        assert.equal(together.status, Status.DONE);
        for (const [i, data] of [together.data, ...together.others].entries()) {
          assert.deepEqual(difference(data, alone[i].data), { mean: 0, max: 0 }, `crop ${i}`);
        }
        const { rows, wantedRows } = decode(bytes, size).info; // a frame with margins has fewer rows than the picture
        assert.equal(together.info.rows === together.info.wantedRows, rows === wantedRows);
      }
    });
  }

  it("decodes no row below the last crop", () => {
    const bytes = variants.get("base420.jpg")();
    const { info, used } = decode(bytes, { chunkBytes: 512 });
    const further = [[0, 8, 32, 8, 0]];
    const part = decode(bytes, { chunkBytes: 512, crop: [0, 0, 32, 8], further });
    assert.equal(part.info.wantedRows, 16);
    assert.ok(part.used < used / 2, `${part.used} of ${used} bytes for 16 of ${info.height} rows`);
  });

  it("starts with one crop again for the next image", () => {
    const bytes = variants.get("rgb8.png")();
    const codecs = instantiate();
    const before = decode(bytes, { codecs }).data;
    decode(bytes, { codecs, crop: [0, 0, 9, 9], further: [[1, 1, 9, 9, 0]] });
    assert.deepEqual(difference(decode(bytes, { codecs }).data, before), { mean: 0, max: 0 });
    assert.equal(codecs.output(1), 0);
  });
});

describe("crops that cannot be", () => {
  const coffee = readFileSync(new URL("../../../test/fixtures/coffee.png", import.meta.url));

  it("refuses more than 32, and those that leave the image", () => {
    const crop = [0, 0, 4, 4, 0];
    assert.equal(decode(coffee, { further: Array(31).fill(crop), width: 8, height: 8 }).others.length, 31);
    for (const further of [Array(32).fill(crop), [[599, 0, 2, 4, 0]], [[0, 0xffffffff, 2, 4, 0]], [[0, 0, 0, 4, 0]]]) {
      assert.throws(() => decode(coffee, { further, width: 8, height: 8 }), { status: Status.USAGE });
    }
  });

  it("refuses one before the header is known, and after the start", () => {
    const codecs = instantiate();
    codecs.init(0, 0, 0, 0);
    assert.equal(codecs.also(0, 0, 4, 4, 0), Status.USAGE);
    codecs.open(2);
    assert.equal(codecs.also(0, 0, 4, 4, 0), Status.USAGE);
    assert.equal(codecs.output(0), 0);
  });

  it("refuses those whose sums exceed the memory limit", () => {
    const further = Array(20).fill([0, 0, 40, 40, 0]);
    assert.throws(() => decode(coffee, { further, memory: 4 << 20 }), { status: Status.MEMORY });
  });
});

describe("a crop of a JPEG, for which only that part is computed", { skip }, () => {
  const names = skip ? [] : [...variants.keys()].filter((name) => name.endsWith(".jpg"));

  for (const name of names) {
    it(`${name} has the pixels of the whole picture at each scale`, () => {
      const bytes = variants.get(name)();
      for (const eighths of [8, 4, 2, 1]) {
        const scale = () => eighths;
        let whole;
        try {
          const { info } = decode(bytes, { width: 1, height: 1, scale });
          const size = { width: info.scaledWidth, height: info.scaledHeight };
          whole = { ...decode(bytes, { ...size, scale }), ...size };
        } catch (error) {
          assert.ok(error.status < 0); // a file that is refused
          return;
        }
        for (const [a, b, c, d] of [
          [1, 1, 3, 3],
          [2, 0, 4, 1],
          [0, 3, 1, 4],
          [3, 3, 4, 4],
        ]) {
          const [x, y] = [(whole.width * a) >> 2, (whole.height * b) >> 2];
          const [width, height] = [
            Math.max(1, ((whole.width * c) >> 2) - x),
            Math.max(1, ((whole.height * d) >> 2) - y),
          ];
          const crop = [Math.min(x, whole.width - width), Math.min(y, whole.height - height), width, height];
          const identity = { width, height, scale, crop, chunkBytes: 777 };
          if (whole.status === Status.TRUNCATED && crop[1] >= whole.info.rows) {
            assert.throws(() => decode(bytes, identity), { status: Status.EMPTY });
            continue;
          }
          const part = decode(bytes, identity);
          const expected = Buffer.alloc(width * height * 3);
          for (let row = 0; row < height; row++) {
            const from = ((crop[1] + row) * whole.width + crop[0]) * 3;
            expected.set(whole.data.subarray(from, from + width * 3), row * width * 3);
          }
          assert.deepEqual(difference(part.data, expected), { mean: 0, max: 0 }, `${crop} at ${eighths}/8`);
        }
      }
    });
  }
});
