// Pixels against Pillow 12.2: every file of the corpus at full size, real photos at the scale that a service picks.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, Flag, Format, Status, serviceScale, sniff } from "./host.mjs";
import { difference, files, readReference, reference } from "./reference.mjs";

const skip = reference ? false : "LABELER_REFERENCE is not set";
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

// Pillow's own JPEG decoder cannot suspend in arithmetic coding, so its reference breaks off; the same picture in
// Huffman coding is the better one.
const OTHER_REFERENCE = { "arith.jpg": "base420.jpg" };
// Files that break off. Pillow was told to load them all the same.
const TRUNCATED = new Set(["trunc.png", "trunc60.jpg", "truncprog.jpg", "go-v.progressive.truncated.jpg"]);

for (const folder of ["variants", "pngsuite", "large"]) {
  describe(`${folder}, decoded at full size`, { skip }, () => {
    for (const { name, read } of skip ? [] : files("corpus", folder)) {
      it(`${name} has Pillow's pixels`, (t) => {
        const { status, data, info } = decode(read());
        const reference = readReference(`corpus/reference224/${OTHER_REFERENCE[name] ?? name}.png`);
        assert.deepEqual(difference(data, reference.pixels), { mean: 0, max: 0 });
        assert.equal(status, TRUNCATED.has(name) ? Status.TRUNCATED : Status.DONE);
        t.diagnostic(`${name}: ${info.width}x${info.height}, ${megabytes(info.peakMemory)}`);
      });
    }
  });
}

describe("photos at the scale a service picks", { skip }, () => {
  const means = [];
  for (const folder of ["images", "imagenet-sample"]) {
    for (const { name, read } of skip ? [] : files(folder)) {
      if (!sniff(read())) continue;
      it(`${name} is close to Pillow's`, () => {
        const { status, data } = decode(read(), { scale: (info) => serviceScale(info, 224) });
        const reference = readReference(`golden/reference224/${name}.png`);
        const { mean } = difference(data, reference.pixels);
        assert.equal(status, Status.DONE);
        assert.ok(mean <= 0.36, `mean difference ${mean}`);
        means.push(mean);
      });
    }
  }
  it("and on average hardly to be told apart", () => {
    assert.ok(means.length > 100);
    assert.ok(means.reduce((sum, mean) => sum + mean, 0) / means.length < 0.02);
  });
});

describe("scaled JPEG", { skip }, () => {
  for (const name of ["12mp_base.jpg", "24mp_base.jpg", "12mp_prog.jpg", "24mp_prog.jpg"]) {
    for (const eighths of skip ? [] : [1, 2, 3, 4, 5, 6, 7]) {
      it(`${name} at ${eighths}/8 stays close to the full decode`, () => {
        const { data, info } = decode(
          files("corpus", "large")
            .find((file) => file.name === name)
            .read(),
          {
            scale: () => eighths,
          },
        );
        const reference = readReference(`corpus/reference224/${name}.png`);
        const { mean } = difference(data, reference.pixels);
        assert.equal(info.scaledWidth, Math.ceil((info.width * eighths) / 8));
        assert.equal(info.scaledHeight, Math.ceil((info.height * eighths) / 8));
        assert.ok(mean < (eighths === 1 ? 0.6 : 0.2), `mean difference ${mean}`);
      });
    }
  }
  it("a progressive photo at 1/8 reads only DC coefficients", (t) => {
    const file = files("corpus", "large").find(({ name }) => name === "24mp_prog.jpg");
    const { info } = decode(file.read(), { scale: () => 1 });
    assert.ok(info.flags & Flag.DC_ONLY);
    assert.ok(info.coefficientBytes > 60 << 20);
    assert.ok(info.peakMemory < 3 << 20);
    t.diagnostic(`${megabytes(info.coefficientBytes)} of coefficients, ${megabytes(info.peakMemory)} taken`);
  });
});

describe("what the header tells", { skip }, () => {
  const read = (name) =>
    files("corpus", "variants")
      .find((file) => file.name === name)
      ?.read();
  it("EXIF orientation 1 to 8", () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      assert.equal(decode(read(`exif${orientation}.jpg`)).info.orientation, orientation);
    }
    assert.equal(decode(read("base420.jpg")).info.orientation, 1);
  });
  it("the kind of file", () => {
    const flags = (name) => decode(read(name)).info.flags;
    assert.equal(flags("prog420.jpg"), Flag.PROGRESSIVE | Flag.BUFFERED);
    assert.equal(flags("inter8.png"), Flag.INTERLACED);
    assert.equal(flags("inter.gif"), Flag.INTERLACED);
    assert.equal(flags("ll.webp"), Flag.LOSSLESS);
    assert.equal(flags("anim.webp") & Flag.ANIMATED, Flag.ANIMATED);
    assert.equal(flags("apng.png") & Flag.ANIMATED, Flag.ANIMATED);
    assert.equal(flags("rgba8.png"), Flag.ALPHA);
    const { info } = decode(read("rgb16.png"));
    assert.deepEqual([info.format, info.components, info.bits], [Format.png, 3, 16]);
  });
});
