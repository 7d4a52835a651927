/** Files made to harm a decoder: each is answered in time and for the right reason, and the decoder still works. */
import { describe, expect, it } from "vitest";
import type { ErrorKind } from "../../../worker/errors.ts";
import { idleMemory, MEMORY } from "../../../worker/image/instances.ts";
import { hasReference, reference } from "../files.ts";
import { jpeg, segment } from "./jpeg-builder.ts";
import { chunk, ihdr, png } from "./png-builder.ts";
import { decode, expectGoodImageToDecode, refusal, TO_224 } from "./references.ts";

/** Milliseconds. Generous, since the machine may be busy: most take one, and the hangs would be for ever. */
const IN_TIME = 10_000;

/** Limits on pixels: of a strict service, and far above the usual. */
const LIMITS = [4_194_304, 100_000_000];

const REFUSED: Readonly<Record<string, readonly [kind: ErrorKind, reason: string]>> = {
  "bomb_1bit_30k.png": ["image-too-large", "30,000 × 30,000 = 900,000,000 pixels"],
  "bomb_real_12k.png": ["image-too-large", "pixels and the limit is"],
  "chunklen.png": ["broken-image", "contradicts its format"], // upng hangs on its chunk length
  "hdr0.png": ["broken-image", "contradicts its format"],
  "hdr16383.webp": ["image-too-large", "pixels and the limit is"],
  "hdr16384ll.webp": ["image-too-large", "pixels and the limit is"],
  "hdr2g.bmp": ["image-too-large", "pixels and the limit is"],
  "hdr2g.png": ["image-too-large", "pixels and the limit is"],
  "hdr65500.bmp": ["image-too-large", "65,500 × 65,500 = 4,290,250,000 pixels"],
  "hdr65500.gif": ["image-too-large", "pixels and the limit is"],
  "hdr65500.jpg": ["image-too-large", "65,500 × 65,500 = 4,290,250,000 pixels"],
  "hdr65500.png": ["image-too-large", "65,500 × 65,500 = 4,290,250,000 pixels"],
  "hdr65500_16.png": ["image-too-large", "65,500 × 65,500 = 4,290,250,000 pixels"],
  "hdr65500frame.gif": ["image-too-large", "pixels and the limit is"],
  "hdr65500il.png": ["image-too-large", "65,500 × 65,500 = 4,290,250,000 pixels"],
  "hdr65500prog.jpg": ["image-too-large", "65,500 × 65,500 = 4,290,250,000 pixels"],
  "neg.bmp": ["broken-image", "contradicts its format"],
  "nopalette.png": ["broken-image", "contradicts its format"],
  "real16383ll.webp": ["image-too-large", "16,383 × 16,383 = 268,402,689 pixels"], // in 38 bytes
  "rle30k.bmp": ["image-too-large", "30,000 × 30,000 = 900,000,000 pixels"],
  "scanbomb.jpg": ["image-too-large", ""],
};

async function inTime<T>(work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  expect(performance.now() - start).toBeLessThan(IN_TIME);
  return result;
}

describe.runIf(hasReference)("a hostile file", () => {
  it.for(Object.entries(REFUSED))("is refused: %s as %s", async ([name, [kind, reason]]) => {
    const file = await reference(`corpus/hostile/${name}`);
    for (const maxPixels of LIMITS) {
      for (const scale of ["auto", "full"] as const) {
        const error = await inTime(() => refusal(file, { ...TO_224, maxPixels, scale }));
        expect(error.kind).toBe(kind);
        expect(error.message).toContain(reason);
      }
    }
    await expectGoodImageToDecode();
  });

  it("with thousands of scans is refused for these where its pixels are allowed, at every scale", async () => {
    const file = await reference("corpus/hostile/scanbomb.jpg");
    for (const side of [224, 600]) {
      const error = await inTime(() => refusal(file, { ...TO_224, width: side, height: side, scale: "auto" }));
      expect(error.kind).toBe("image-too-large");
      expect(error.message).toBe("The JPEG has more than 100 scans, which is the limit. Save it anew.");
    }
    await expectGoodImageToDecode();
  });

  it("with 600 MB behind its last row is decoded, since these are never unpacked", async () => {
    const file = await reference("corpus/hostile/bomb600MB_small.png");
    const decoded = await inTime(() => decode(file, { ...TO_224, maxPixels: LIMITS[0] }));
    expect(decoded).toMatchObject({ sourceWidth: 64, sourceHeight: 64, missing: 0 });
    expect(new Set(decoded.pixels)).toEqual(new Set([0]));
    await expectGoodImageToDecode();
  });

  it("with many animation frames costs no more than its first image", async () => {
    const file = await reference("corpus/hostile/apng_frames.png");
    const decoded = await inTime(() => decode(file, { ...TO_224, maxPixels: LIMITS[0] }));
    expect(decoded).toMatchObject({ sourceWidth: 2000, missing: 0 });
    await expectGoodImageToDecode();
  });

  it("leaves no memory behind, nor do all of them together", async () => {
    const names = [...Object.keys(REFUSED), "bomb600MB_small.png", "apng_frames.png"];
    const files = await Promise.all(names.map((name) => reference(`corpus/hostile/${name}`)));
    await Promise.allSettled(files.map((file) => decode(file, TO_224)));
    expect(idleMemory()).toBeLessThanOrEqual(8 * MEMORY.small + MEMORY.large);
    await expectGoodImageToDecode();
  });
});

describe("a progressive JPEG of 1 KB whose empty scans go over 100 megapixels", () => {
  const TABLES = [
    segment(0xdb, [0, ...Array(64).fill(1)]),
    segment(0xc4, [0x00, 1, ...Array(15).fill(0), 0]),
    segment(0xc4, [0x10, 1, ...Array(15).fill(0), 0]),
  ];
  const FRAME = segment(0xc2, [8, 0x27, 0x10, 0x27, 0x0f, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
  const SCAN = segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
  const scans = (count: number, ...before: Uint8Array[]) =>
    jpeg(...TABLES, ...before, FRAME, ...Array<Uint8Array>(count).fill(SCAN), Uint8Array.of(0xff, 0xd9));

  it("is refused when no scan has any data", async () => {
    const error = await inTime(() => refusal(scans(50), TO_224));
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe("The JPEG ends before its first row of pixels. Send the whole file.");
    await expectGoodImageToDecode();
  });

  it("is refused when restarts make each scan go over all of them", async () => {
    const error = await inTime(() => refusal(scans(50, segment(0xdd, [0, 1])), TO_224));
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toBe(
      "The scans of the JPEG ask for more work on its 9,999 × 10,000 pixels than the limit allows, which is about half a " +
        "second, and 64 ms more for each megabyte of the file. Save it as a baseline JPEG in Huffman coding, or send it smaller.",
    );
    await expectGoodImageToDecode();
  });
});

it("an image with a side of more than 262,144 pixels is refused for that", async () => {
  const header = ihdr({ width: 1, height: 262_145, depth: 8, colourType: 0 });
  const error = await refusal(png(header, chunk("IDAT", [])), TO_224);
  expect(error.kind).toBe("image-too-large");
  expect(error.message).toBe(
    "The PNG of 1 × 262,145 pixels has a side that is longer than the limit of 262,144 pixels. Send a smaller image.",
  );
});
