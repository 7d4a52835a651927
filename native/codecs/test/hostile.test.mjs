// Images made to harm, and limits: each is answered with a status, quickly and within its memory.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CodecError, decode, Format, instantiate, Status, serviceScale, sniff } from "./host.mjs";
import { files, reference } from "./reference.mjs";

const skip = reference ? false : "LABELER_REFERENCE is not set";
const find = (folder, name) =>
  files("corpus", folder)
    .find((file) => file.name === name)
    .read();

/** The status with which an image is answered, and the instance's memory after it. */
function answer(bytes, options) {
  const codecs = instantiate();
  try {
    const { status, info } = decode(bytes, { ...options, codecs });
    return { status, info, memory: codecs.memory.buffer.byteLength };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { status: error.status, info: error.info, memory: codecs.memory.buffer.byteLength };
  }
}
const statusOf = (bytes, options) => answer(bytes, options).status;

const EXPECTED = {
  "apng_frames.png": Status.DONE, // its other frames are not even inflated
  "bomb600MB_small.png": Status.DONE, // inflating stops with the last row
  "chunklen.png": Status.BROKEN,
  "hdr0.png": Status.BROKEN,
  "neg.bmp": Status.BROKEN,
  "nopalette.png": Status.BROKEN,
  "scanbomb.jpg": Status.SCANS,
};

describe("hostile files", { skip }, () => {
  for (const { name, read } of skip ? [] : files("corpus", "hostile")) {
    it(`${name} is answered`, (t) => {
      const bytes = read();
      const begin = performance.now();
      const { status, info, memory } = answer(bytes, { scale: (i) => serviceScale(i, 224) });
      const took = performance.now() - begin;
      assert.equal(status, EXPECTED[name] ?? Status.PIXELS);
      assert.ok(took < 1000, `${took} ms`);
      assert.ok(memory < 4 << 20, `${memory} bytes`);
      t.diagnostic(`${name}: status ${status}, ${info.peakMemory} bytes, ${took.toFixed(0)} ms`);
    });
  }
});

describe("limits", { skip }, () => {
  it("the memory limit holds for every kind, and is an answer", () => {
    for (const name of ["rgb8.png", "inter8.png", "ll.webp", "lossy.webp", "prog420.jpg", "base420.jpg", "p.gif"]) {
      const bytes = find("variants", name);
      const { peakMemory } = answer(bytes).info;
      for (let memory = 1 << 16; memory < peakMemory; memory += 1 << 16) {
        const limited = answer(bytes, { memory });
        assert.ok([Status.MEMORY, Status.COEFFICIENTS].includes(limited.status), `${name}: ${limited.status}`);
        assert.ok(limited.memory <= Math.max(memory, instantiate().memory.buffer.byteLength), `${name} at ${memory}`);
      }
      assert.equal(statusOf(bytes, { memory: peakMemory + (1 << 16) }), Status.DONE);
    }
  });
  it("a progressive JPEG that is too large to buffer can still be had at 1/8", () => {
    const bytes = find("large", "24mp_prog.jpg");
    assert.equal(statusOf(bytes, { memory: 16 << 20, scale: () => 2 }), Status.COEFFICIENTS);
    assert.equal(statusOf(bytes, { memory: 16 << 20, scale: () => 1 }), Status.DONE);
  });
  it("pixels, scans and chunks", () => {
    const png = find("variants", "rgb8.png");
    const refused = answer(png, { pixels: 1000 });
    assert.equal(refused.status, Status.PIXELS);
    assert.deepEqual([refused.info.width, refused.info.height], [501, 377]);
    assert.equal(statusOf(png, { chunks: 1 }), Status.CHUNKS);
    assert.equal(statusOf(find("variants", "anim.webp"), { chunks: 1 }), Status.CHUNKS);
    assert.equal(statusOf(find("variants", "prog420.jpg"), { scans: 3 }), Status.SCANS);
    assert.equal(statusOf(find("variants", "prog420.jpg"), { scans: 3, scale: () => 1 }), Status.SCANS);
  });
});

describe("damage", { skip }, () => {
  const KINDS = ["base420.jpg", "prog420.jpg", "rgb8.png", "inter8.png", "lossy.webp", "ll.webp", "p.gif", "b24.bmp"];
  it("a file cut anywhere is empty or truncated, and its rows are counted", () => {
    for (const name of KINDS) {
      const bytes = find("variants", name);
      const { info } = answer(bytes);
      for (let tenth = 0; tenth < 10; tenth++) {
        const part = bytes.subarray(0, Math.floor((bytes.length * tenth) / 10));
        const cut = answer(part, { format: sniff(bytes) });
        assert.ok([Status.EMPTY, Status.TRUNCATED].includes(cut.status), `${name} at ${tenth}/10: ${cut.status}`);
        assert.ok(cut.info.rows <= info.wantedRows);
        if (cut.status === Status.TRUNCATED) assert.ok(cut.info.rows > 0);
      }
    }
  });
  it("a wrong CRC of a critical PNG chunk is found", () => {
    const bytes = Buffer.from(find("variants", "rgb8.png"));
    bytes[29] ^= 1; // IHDR's CRC
    assert.equal(statusOf(bytes), Status.CHECKSUM);
    const many = Buffer.from(find("variants", "rgb8.png"));
    const idat = many.indexOf("IDAT");
    many[idat + 4 + many.readUInt32BE(idat - 4)] ^= 1;
    assert.equal(statusOf(many), Status.CHECKSUM);
  });
  it("bytes of another format have the wrong signature", () => {
    const bytes = Buffer.from("this is not an image at all, whatever it is called");
    for (const format of Object.keys(Format)) assert.equal(statusOf(bytes, { format }), Status.SIGNATURE, format);
  });
});

describe("a host's mistakes", () => {
  const fresh = () => {
    const codecs = instantiate();
    codecs.init(1 << 24, 0, 0, 0);
    return codecs;
  };
  it("calls out of order", () => {
    assert.equal(instantiate().open(Format.png), Status.USAGE);
    const codecs = fresh();
    assert.equal(codecs.run(0), Status.USAGE);
    assert.equal(codecs.start(8, 0, 0, 0, 0, 224, 224, 0), Status.USAGE);
    assert.equal(codecs.commit(1), Status.USAGE);
    assert.equal(codecs.end(), Status.USAGE);
    assert.equal(codecs.reserve(1), 0);
    assert.equal(codecs.output(), 0);
    assert.equal(codecs.open(99), Status.USAGE);
  });
  it("more committed than was reserved", () => {
    const codecs = fresh();
    codecs.open(Format.png);
    assert.notEqual(codecs.reserve(10), 0);
    assert.equal(codecs.commit(11), Status.USAGE);
    assert.equal(codecs.commit(10), Status.DONE);
    assert.equal(codecs.commit(10), Status.USAGE);
  });
  it("a limit below the module's own needs", () => {
    assert.equal(instantiate().init(1000, 0, 0, 0), Status.MEMORY);
  });
  it("crops outside of the image, outputs of no size, scales of formats that have none", { skip }, () => {
    const png = find("variants", "rgb8.png");
    assert.equal(statusOf(png, { crop: [500, 0, 2, 1] }), Status.USAGE);
    assert.equal(statusOf(png, { crop: [0, 0, 10, 0] }), Status.USAGE);
    assert.equal(statusOf(png, { crop: [0xffffffff, 0, 2, 1] }), Status.USAGE);
    assert.equal(statusOf(png, { width: 0 }), Status.USAGE);
    assert.equal(statusOf(png, { width: 1 << 20, height: 1 << 20 }), Status.USAGE);
    assert.equal(statusOf(png, { scale: () => 4 }), Status.USAGE);
    assert.equal(statusOf(find("variants", "base420.jpg"), { scale: () => 9 }), Status.USAGE);
  });
});
