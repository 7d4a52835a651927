// The inflate in PNG against Node's zlib: streams of every kind of block, whole, cut off and damaged, in chunks.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, crc32, deflateSync, inflateSync } from "node:zlib";
import { CodecError, decode, instantiate, Status } from "./host.mjs";

const be = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const chunk = (type, data) => {
  const body = Buffer.concat([Buffer.from(type), Buffer.from(data)]);
  return Buffer.concat([Buffer.from(be(data.length)), body, Buffer.from(be(crc32(body)))]);
};

const [WIDTH, HEIGHT] = [200, 180];

/** A grey picture around a compressed stream of rows, in IDAT chunks of `cut` bytes. */
function png(stream, cut) {
  const chunks = [];
  for (let at = 0; at < stream.length; at += cut) chunks.push(chunk("IDAT", stream.subarray(at, at + cut)));
  const header = chunk("IHDR", [...be(WIDTH), ...be(HEIGHT), 8, 0, 0, 0, 0]);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), header, ...chunks, chunk("IEND", [])]);
}

/** Numbers below `limit` from a seed. */
const randomFrom = (seed) => (limit) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};

/** Rows without a filter: noise, runs, repeated runs near and far, and a photo's mixture. */
function rows(kind, random) {
  const data = Buffer.alloc((WIDTH + 1) * HEIGHT);
  for (let i = 0, value = 0; i < data.length; i++) {
    if (i % (WIDTH + 1) === 0) continue;
    if (kind === "noise") value = random(256);
    else if (kind === "runs") value = random(300) === 0 ? random(256) : value;
    else if (kind === "repeats") value = random(30) ? data[Math.max(0, i - 1 - (i % 5000))] : random(256);
    else value = random(3) * random(3) + (random(2) ? 0 : random(8));
    data[i] = value;
  }
  for (let y = 0; y < HEIGHT; y++) data[y * (WIDTH + 1)] = 0;
  return data;
}

const STRATEGIES = ["Z_DEFAULT_STRATEGY", "Z_FILTERED", "Z_HUFFMAN_ONLY", "Z_RLE", "Z_FIXED"];
const CUTS = [1 << 20, 8192, 61, 1];

/** The grey values of the rows that were decoded, and how many they are. */
function decoded(file, options) {
  const { data, info, status } = decode(file, { width: WIDTH, height: HEIGHT, ...options });
  return { grey: data.filter((_, i) => i % 3 === 0).subarray(0, info.rows * WIDTH), rows: info.rows, status };
}

/** What the first `count` rows of a stream's output are. */
function expected(output, count) {
  const picture = Buffer.alloc(count * WIDTH);
  for (let y = 0; y < count; y++) output.copy(picture, y * WIDTH, y * (WIDTH + 1) + 1, (y + 1) * (WIDTH + 1));
  return picture;
}

const LENIENT = { finishFlush: constants.Z_SYNC_FLUSH };

describe("inflate", () => {
  for (const kind of ["noise", "runs", "repeats", "mixture"]) {
    const random = randomFrom(kind.length);
    const data = rows(kind, random);
    const streams = STRATEGIES.flatMap((strategy) =>
      [0, 1, 6, 9].map((level) => {
        const [memLevel, windowBits] = [1 + random(9), 9 + random(7)];
        return deflateSync(data, { level, memLevel, windowBits, strategy: constants[strategy] });
      }),
    );

    it(`gives what was compressed: ${kind}`, () => {
      for (const stream of streams) {
        for (const cut of CUTS) {
          const { grey, status } = decoded(png(stream, cut), { chunkBytes: [65536, 1000, 1 + random(50)][random(3)] });
          assert.equal(status, Status.DONE);
          assert.ok(Buffer.from(grey).equals(expected(data, HEIGHT)));
        }
      }
    });

    it(`gives as many rows of a stream that is cut off as zlib: ${kind}`, () => {
      for (const stream of streams) {
        for (let i = 0; i < 6; i++) {
          const part = stream.subarray(0, 200 + random(stream.length - 200));
          const output = inflateSync(part, LENIENT);
          const count = Math.min(HEIGHT, Math.floor(output.length / (WIDTH + 1)));
          if (count === 0) continue;
          const picture = decoded(png(part, CUTS[random(3)]), { chunkBytes: 1 + random(5000) });
          assert.equal(picture.rows, count);
          assert.equal(picture.status, count < HEIGHT ? Status.TRUNCATED : Status.DONE);
          assert.ok(Buffer.from(picture.grey).equals(expected(output, count)));
        }
      }
    });

    it(`refuses a stream that is damaged where zlib does: ${kind}`, () => {
      const codecs = instantiate(); // one for all: an error leaves nothing behind
      for (const stream of streams) {
        for (let i = 0; i < 12; i++) {
          const damaged = Buffer.from(stream);
          for (let bytes = 1 + random(2); bytes > 0; bytes--) {
            damaged[random(3) ? random(damaged.length - 4) : random(80)] ^= 1 << random(8);
          }
          let output;
          try {
            output = inflateSync(damaged, LENIENT);
          } catch (error) {
            if (error.message === "incorrect data check") continue; // Adler-32, in place of which PNG has its CRC
          }
          let picture;
          try {
            picture = decoded(png(damaged, CUTS[random(2)]), { codecs, chunkBytes: 65536 });
          } catch (error) {
            assert.ok(error instanceof CodecError);
            if (output === undefined) continue;
            const filters = Array.from({ length: HEIGHT }, (_, y) => output[y * (WIDTH + 1)] ?? 0);
            assert.ok(
              output.length <= WIDTH || filters.some((filter) => filter > 4),
              `refused what zlib takes, with status ${error.status}`,
            );
            continue;
          }
          if (output === undefined) assert.equal(picture.status, Status.DONE);
          else if (output.length >= (WIDTH + 1) * HEIGHT) assert.equal(picture.rows, HEIGHT);
        }
      }
    });
  }
});
