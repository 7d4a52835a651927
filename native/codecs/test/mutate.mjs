// Seeded mutations of files, for the fuzzers.
import { crc32 } from "node:zlib";
import { sniff } from "./host.mjs";

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

/**
 * Mutated files and how each is to be decoded.
 * @param seeds {name, bytes} of files that are images
 */
export function* mutants(seeds, count, seed) {
  const random = randomFrom(seed);
  for (let i = 0; i < count; i++) {
    const { name, bytes } = seeds[i % seeds.length];
    let mutant = mutate(bytes, random);
    if (sniff(bytes) === "png" && random(4)) mutant = repairChecksums(mutant);
    const chunkBytes = random(2) ? 65536 : 1 + random(5000);
    const eighths = 1 + random(8);
    const size = 1 + random(300);
    const options = {
      ...LIMITS,
      format: sniff(bytes),
      chunkBytes,
      slice: 0,
      scale: (info) => (info.format === 1 ? eighths : 8),
      crop: [0, 0, 0, 0],
      width: size,
      height: size,
      order: 0,
    };
    yield { name: `case ${i} of ${name}`, bytes: mutant, options };
  }
}
