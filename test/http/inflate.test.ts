/**
 * Our inflate compared with zlib: the same bytes from every kind of zlib's output, and a refusal whenever zlib refuses.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { expect, it } from "vitest";
import { Inflate } from "../../worker/runtime/inflate.ts";
import { type Random, random } from "./hostile-json/random.ts";

const CASES = 200;
const REFUSED = "refused";

/** @param size The size of the chunks, in bytes, in which the body arrives. */
function inflate(compressed: Uint8Array, size: number): string {
  const decoder = new Inflate();
  const steps: Buffer[] = [];
  for (let at = 0; !decoder.ended; ) {
    if (decoder.starved) {
      if (at >= compressed.length) return REFUSED;
      decoder.keep();
      decoder.push(compressed.slice(at, at + size));
      at += size;
    }
    try {
      steps.push(Buffer.from(decoder.step()));
    } catch {
      return REFUSED;
    }
  }
  return Buffer.concat(steps).toString("latin1");
}

function byZlib(compressed: Uint8Array): string {
  try {
    return inflateRawSync(compressed, { maxOutputLength: 1 << 24 }).toString("latin1");
  } catch {
    return REFUSED;
  }
}

/** Bytes that repeat, from near and from far, and of which some are more frequent than others. */
function content(random: Random): Uint8Array {
  const bytes = new Uint8Array(random.below(random.any([10, 3000, 90_000])));
  const values = 1 + random.below(256);
  const reach = random.any([5, 300, 40_000]);
  for (let at = 0; at < bytes.length; at++) {
    const back = 1 + random.below(reach);
    bytes[at] = back < at && random.below(3) > 0 ? (bytes[at - back] ?? 0) : random.below(values);
  }
  return bytes;
}

it("gives what zlib gives, whole and damaged", () => {
  let refused = 0;
  for (let seed = 1; seed <= CASES; seed++) {
    const numbers = random(seed);
    const compressed = deflateRawSync(content(numbers), {
      level: numbers.below(10),
      strategy: numbers.any([
        constants.Z_DEFAULT_STRATEGY,
        constants.Z_FIXED,
        constants.Z_HUFFMAN_ONLY,
        constants.Z_RLE,
      ]),
      memLevel: 1 + numbers.below(9),
    });
    if (numbers.below(2) === 0) compressed[numbers.below(compressed.length)] ^= 1 << numbers.below(8);
    const expected = byZlib(compressed);
    if (expected === REFUSED) refused++;
    expect(inflate(compressed, 1 + numbers.below(numbers.any([20, 70_000]))) === expected, `seed ${seed}`).toBe(true);
  }
  expect(refused).toBeGreaterThan(CASES / 50);
  expect(refused).toBeLessThan(CASES / 2);
});
