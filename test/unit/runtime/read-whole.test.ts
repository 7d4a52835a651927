/** Large files are read completely (worker/runtime/read-whole.ts), whatever size was expected. */
import { expect, it } from "vitest";
import { readWhole } from "../../../worker/runtime/read-whole.ts";

/** Bytes that differ from their neighbours near and far. */
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + (i >> 16)) & 255);

/** In chunks of 4 KB, as files come from workerd's disk service. */
function inChunks(whole: Uint8Array): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void (async () => {
    for (let at = 0; at < whole.length; at += 4096) await writer.write(whole.subarray(at, at + 4096));
    await writer.close();
  })();
  return readable;
}

it.each([
  ["as many as expected", 1_000_000, 1_000_000],
  ["a whole number of reads", 1 << 18, 1 << 18],
  ["fewer", 300_001, 1_000_000],
  ["more", 1_000_003, 500_000],
  ["many more", 1_000_003, 1],
  ["some where none were expected", 5000, 0],
  ["none", 0, 4096],
])("%s", async (_, length, expected) => {
  const whole = bytes(length);
  const read = await readWhole(inChunks(whole), expected);
  expect(read.length).toBe(length);
  expect(read.findIndex((byte, i) => byte !== whole[i])).toBe(-1);
});

it("fails as the stream fails", async () => {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void writer.write(bytes(10)).then(() => writer.abort(new Error("the disk is gone")));
  await expect(readWhole(readable, 1000)).rejects.toThrow("the disk is gone");
});
