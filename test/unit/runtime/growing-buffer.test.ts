/** Buffers that grow as bytes arrive, in memory that is reserved first (worker/runtime/growing-buffer.ts). */
import { expect, it } from "vitest";
import { GrowingBuffer, type GrowingBufferOptions } from "../../../worker/runtime/growing-buffer.ts";

/** Adds chunks of one size. @returns What was reserved after each. */
async function filled(chunks: number, size: number, options: GrowingBufferOptions) {
  const reserved: number[] = [];
  let sum = 0;
  const buffer = new GrowingBuffer({
    ...options,
    reserve: async (bytes) => {
      sum += bytes;
    },
  });
  for (let i = 0; i < chunks; i++) {
    await buffer.add(new Uint8Array(size).fill(i));
    reserved.push(sum);
  }
  return { bytes: buffer.bytes, reserved };
}

it("has the bytes in their order", async () => {
  const { bytes } = await filled(300, 3, {});
  expect([...bytes]).toEqual(Array.from({ length: 900 }, (_, i) => Math.floor(i / 3) & 255));
});

it("reserves no more than about twice what has come, whatever was announced", async () => {
  const { reserved } = await filled(8, 1000, { expected: 16 << 20 });
  reserved.forEach((bytes, i) => {
    expect(bytes).toBeLessThanOrEqual(Math.max(4096, 2 * 1000 * (i + 1)));
  });
});

it("reserves all of an announced size once a sixteenth has come, and then grows no more", async () => {
  const { reserved } = await filled(16, 1 << 16, { expected: 1 << 20 });
  expect(new Set(reserved)).toEqual(new Set([1 << 20]));
});

it("takes more than was announced, and reserves no more than the most", async () => {
  const { bytes, reserved } = await filled(10, 1000, { expected: 2000, most: 10_000 });
  expect(bytes.length).toBe(10_000);
  expect(reserved.at(-1)).toBe(10_000);
});

it("frees its memory at once, and that which it has outgrown", async () => {
  const buffer = new GrowingBuffer();
  await buffer.add(new Uint8Array(4000));
  const outgrown = buffer.bytes;
  await buffer.add(new Uint8Array(4000).fill(1));
  const { bytes } = buffer;
  expect([outgrown.length, bytes.length, bytes.at(-1)]).toEqual([0, 8000, 1]);
  buffer.free();
  expect([bytes.length, buffer.length, buffer.bytes.length]).toEqual([0, 0, 0]);
});
