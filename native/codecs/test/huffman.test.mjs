// The entropy decoder of jpeg_huff.c beside libjpeg's own, which decodes wherever few bytes are at hand: an image that
// comes in small chunks is mostly decoded by the one, an image that comes at once mostly by the other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { decode } from "./host.mjs";

const PHOTOS = ["china.jpg", "grace_hopper.jpg", "rocket.jpg"];
const SMALL = 24;
const HEAD = 700; // at least the headers of the photos
const DAMAGED = 12;

const read = (name) => readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url));

/** The file with some of its entropy-coded bytes changed, mostly to what begins a marker. */
function damage(bytes, index) {
  const damaged = Buffer.from(bytes);
  for (let i = 0; i <= index % 4; i++) {
    const at = HEAD + ((7919 * (index + 1) * (i + 1) + 104729 * i) % (bytes.length - HEAD - 1));
    damaged[at] = i % 2 ? (31 * index) & 0xff : 0xff;
    if (index % 3 === 0) damaged[at + 1] = 0xff;
  }
  return damaged;
}

function assertSame(bytes, eighths) {
  const [whole, parts] = [bytes.length, SMALL].map((chunkBytes) => decode(bytes, { chunkBytes, scale: () => eighths }));
  assert.equal(whole.status, parts.status);
  assert.deepEqual(whole.data, parts.data);
}

describe("a JPEG from small chunks and at once", () => {
  for (const name of PHOTOS) {
    it(`${name}, intact`, () => {
      for (const eighths of [8, 4, 1]) assertSame(read(name), eighths);
    });
    it(`${name}, damaged in ${DAMAGED} ways`, () => {
      for (let index = 0; index < DAMAGED; index++) assertSame(damage(read(name), index), index % 2 ? 8 : 2);
    });
  }
});
