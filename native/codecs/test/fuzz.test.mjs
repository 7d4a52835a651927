// Seeded mutations of small files of every kind: no trap, no hang, no growth past the limit. FUZZ_CASES and FUZZ_SEED
// in the environment make it longer or other; CODECS_WASM may name a module built with --guards.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { CodecError, decode, instantiate, sniff } from "./host.mjs";
import { files, reference } from "./reference.mjs";

/** TIFF and PNM, which the corpus does not have. */
const RASTER = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/formats/raster.json", import.meta.url), "utf8"),
).map(({ name, file }) => ({ name, bytes: Buffer.from(file, "base64") }));

const skip = reference ? false : "LABELER_REFERENCE is not set";
const CASES = Number(process.env.FUZZ_CASES ?? 2000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const LIMITS = { memory: 24 << 20, pixels: 4e6, scans: 50, chunks: 5000 };

/** mulberry32: numbers below `limit` from a seed. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

const TELLING = [0, 1, 2, 3, 4, 8, 16, 0x7f, 0x80, 0xc0, 0xc2, 0xc4, 0xd9, 0xda, 0xdb, 0xfe, 0xff];

/** The file with some bytes changed, cut, doubled or moved; half of the time near its head, where structure is. */
function mutate(bytes, random) {
  let out = Buffer.from(bytes);
  for (let count = 1 + random(6); count > 0; count--) {
    const at = random(random(2) ? Math.min(out.length, 700) : out.length);
    switch (random(7)) {
      case 0:
        out[at] ^= 1 << random(8);
        break;
      case 1:
        out[at] = TELLING[random(TELLING.length)];
        break;
      case 2:
        out.fill(random(2) ? 0xff : 0, at, Math.min(out.length, at + 1 + random(4)));
        break;
      case 3:
        out = Buffer.from(out.subarray(0, Math.max(16, at)));
        break;
      case 4: {
        const length = random(200);
        out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + length), out.subarray(at)]);
        break;
      }
      case 5:
        out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + 1 + random(40)))]);
        break;
      default:
        if (at + 4 <= out.length) out.writeUInt32LE(random(3) ? random(70000) : random(0xffffffff), at);
    }
    if (out.length < 16) break;
  }
  return out;
}

/** Makes a PNG's checksums right again, so that what is behind them gets its share of nonsense. */
function repairChecksums(png) {
  for (let at = 8; at + 12 <= png.length; ) {
    const length = png.readUInt32BE(at);
    if (at + 12 + length > png.length) break;
    png.writeUInt32BE(crc32(png.subarray(at + 4, at + 8 + length)), at + 8 + length);
    at += 12 + length;
  }
  return png;
}

describe("mutated files", { skip }, () => {
  it(`${CASES} of them, seed ${SEED}, are all answered`, { timeout: 600_000 }, (t) => {
    const seeds = ["variants", "pngsuite"]
      .flatMap((folder) => files("corpus", folder))
      .map(({ name, read }) => ({ name, bytes: read() }))
      .concat(RASTER)
      .filter(({ bytes }) => bytes.length < 400_000);
    const random = randomFrom(SEED);
    const answers = new Map();
    let slowest = 0;
    let largest = 0;
    for (let i = 0; i < CASES; i++) {
      const { name, bytes } = seeds[i % seeds.length];
      let mutant = mutate(bytes, random);
      if (sniff(bytes) === "png" && random(4)) mutant = repairChecksums(mutant);
      const codecs = instantiate();
      const options = { codecs, ...LIMITS, format: sniff(bytes), piece: random(2) ? 65536 : 1 + random(5000) };
      options.scale = (info) => (info.format === 1 ? 1 + random(8) : 8);
      options.width = options.height = 1 + random(300);
      const begin = performance.now();
      let status;
      try {
        ({ status } = decode(mutant, options));
      } catch (error) {
        assert.ok(error instanceof CodecError, `case ${i} of ${name}: ${error.stack}`);
        status = error.status;
      }
      const took = performance.now() - begin;
      if (codecs.check) assert.equal(codecs.check(), 0, `case ${i} of ${name} wrote outside of a block`);
      const size = codecs.memory.buffer.byteLength;
      assert.ok(took < 3000, `case ${i} of ${name} took ${took} ms`);
      assert.ok(size <= LIMITS.memory, `case ${i} of ${name} grew to ${size}`);
      slowest = Math.max(slowest, took);
      largest = Math.max(largest, size);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
    const counts = [...answers].sort((a, b) => b[0] - a[0]).map(([status, count]) => `${status}: ${count}`);
    t.diagnostic(`answers by status ${counts.join(", ")}`);
    t.diagnostic(`slowest ${slowest.toFixed(0)} ms, largest ${(largest / 2 ** 20).toFixed(1)} MB`);
  });
});
