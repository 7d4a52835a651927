/** The memory of the instances of codecs.wasm: small ones for nearly all images, the large one only if necessary. */
import { describe, expect, it } from "vitest";
import { Codec, CodecError, type CodecLimits } from "../../../worker/image/codecs.ts";
import { idleMemory, MEMORY, withCodec } from "../../../worker/image/instances.ts";
import { fixture, hasReference, reference } from "../files.ts";
import { referencePixels } from "../reference-pixels.ts";
import { concat } from "./png-builder.ts";
import { decode, difference, EQUAL, TO_224 } from "./references.ts";

const MB = 1 << 20;
const fast = (file: Uint8Array) => decode(file, { ...TO_224, scale: "auto" });

describe("memory", () => {
  it("is nothing before the first image, and one small instance for one after the other", async () => {
    expect(idleMemory()).toBe(0);
    for (const name of ["chelsea.png", "china.jpg", "camera.png", "grace_hopper.jpg", "coffee.png", "rocket.jpg"])
      await decode(await fixture(name), TO_224);
    expect(idleMemory()).toBeGreaterThan(0);
    expect(idleMemory()).toBeLessThan(1.5 * MB);
  });

  it.runIf(hasReference).for([
    ["1080_base.jpg", 1.6],
    ["1080_rgb.png", 1.6],
    ["12mp_444.jpg", 1.6],
    ["12mp_base.jpg", 1.6],
    ["12mp_pal.png", 1.6],
    ["24mp_base.jpg", 1.6],
    ["24mp_prog.jpg", 2.5],
    ["12mp_lossy.webp", 2.6],
    ["1080_inter.png", 3.2],
  ] as const)("of the small kind is enough for %s: %s MB", async ([name, megabytes]) => {
    const { missing } = await fast(await reference(`corpus/large/${name}`));
    expect(missing).toBe(0);
    expect(idleMemory()).toBeLessThanOrEqual(megabytes * MB); // of all images so far
    expect(idleMemory()).toBeLessThanOrEqual(MEMORY.small);
  });

  it.runIf(hasReference)("of the large kind is taken for what must be buffered, and kept for the next", async () => {
    const small = idleMemory();
    await fast(await reference("corpus/large/1080_ll.webp")); // its window, and itself
    expect(idleMemory() - small).toBeGreaterThan(8 * MB);
    expect(idleMemory() - small).toBeLessThan(12 * MB);
    const photo = await reference("corpus/large/12mp_prog.jpg");
    const first = await fast(photo);
    const kept = idleMemory() - small;
    expect(kept).toBeGreaterThan(35 * MB);
    expect(kept).toBeLessThanOrEqual(MEMORY.large);
    const again = await Promise.all([fast(photo), fast(photo)]); // one waits for the other
    for (const { pixels } of again) expect(difference(pixels, first.pixels)).toEqual(EQUAL);
    expect(idleMemory() - small).toBeLessThanOrEqual(MEMORY.large + MEMORY.small); // each began in a small one
  });

  it.runIf(hasReference)("is not enough for 24 progressive megapixels, so they are decoded at 1/8", async () => {
    const before = idleMemory();
    const { pixels } = await decode(await reference("corpus/large/24mp_prog.jpg"), TO_224);
    const { mean } = difference(pixels, await referencePixels("corpus/reference224/24mp_prog.jpg.png"));
    expect(mean).toBeGreaterThan(0.1);
    expect(mean).toBeLessThan(0.4);
    expect(idleMemory() - before).toBeLessThanOrEqual(MEMORY.small);
  });

  // It is kept whole with all that follows it, so that it turns out only later to be too large for a small instance.
  it.runIf(hasReference)("of the large kind is taken for a long JPEG in arithmetic coding", async () => {
    const file = concat(await reference("corpus/variants/arith.jpg"), new Uint8Array(4 * MB));
    expect((await fast(file)).missing).toBe(0);
  });
});

describe("withCodec", () => {
  it("lends an instance to one at a time, eleven small ones at most", async () => {
    const lent = new Set<Codec>();
    let most = 0;
    const use = () =>
      withCodec("small", async (codec) => {
        expect(lent.has(codec)).toBe(false);
        lent.add(codec);
        most = Math.max(most, lent.size);
        await scheduler.wait(5);
        lent.delete(codec);
      });
    await Promise.all(Array.from({ length: 20 }, use));
    expect(most).toBe(11);
  });

  it("does not lend an instance again whose stack was left as it was by an error", async () => {
    let first: Codec | undefined;
    const broken = Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0, 1);
    await withCodec("large", async (codec) => {
      first = codec;
      codec.open("jpeg", { memory: MB, pixels: 100, scans: 1, chunks: 1 });
      codec.feed(broken);
      expect(() => codec.run()).toThrow(CodecError);
      expect(codec.usable).toBe(false);
    });
    await withCodec("large", async (codec) => expect(codec).not.toBe(first));
  });

  it("lends an instance again after any other error", async () => {
    let first: Codec | undefined;
    const failing = withCodec("large", async (codec) => {
      first = codec;
      throw new RangeError("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    await withCodec("large", async (codec) => expect(codec).toBe(first));
  });
});

describe("a codec", () => {
  const LIMITS: CodecLimits = { memory: MB, pixels: 1e6, scans: 100, chunks: 100 };

  it("keeps to its memory limit, and says so", async () => {
    const codec = new Codec();
    const file = await fixture("camera.png");
    const tight = { ...LIMITS, memory: 200_000 };
    const decodeAt = () => {
      codec.open("png", tight);
      codec.feed(file.subarray(0, 30_000));
      expect(codec.run()).toBe("header");
      const { width, height } = codec.info();
      codec.start({ eighths: 8, crops: [{ x: 0, y: 0, width, height, order: 0 }], width: 224, height: 224 });
    };
    expect(decodeAt).toThrow(expect.objectContaining({ name: "CodecError", refusal: "memory" }));
    expect(codec.memoryBytes).toBeLessThanOrEqual(262_144);
  });

  it("takes calls out of order for a bug", () => {
    const codec = new Codec();
    expect(() => codec.run()).toThrow("codecs.wasm answered -1");
    codec.open("png", LIMITS);
    const start = () =>
      codec.start({ eighths: 8, crops: [{ x: 0, y: 0, width: 1, height: 1, order: 0 }], width: 1, height: 1 });
    expect(start).toThrow("codecs.wasm answered -1");
  });
});
