/** Files made to harm a decoder: each is refused in time and for the right reason, and the decoder works on. */
import { describe, expect, it } from "vitest";
import type { ErrorKind } from "../../../worker/errors.ts";
import { hasReference, reference } from "../files.ts";
import { decode, expectGoodImageToDecode, refusal, TO_224 } from "./references.ts";

const OPTIONS = { ...TO_224, maxPixels: 4_194_304 };

/** Generous, since the machine may be busy: inflating the bombs would take seconds, and the hangs are for ever. */
const IN_TIME = 500;

const REFUSED: Record<string, ErrorKind> = {
  "bomb600MB_small.png": "broken-image", // 600 MB of zeros behind a header of 128 × 128
  "bomb_1bit_30k.png": "image-too-large",
  "bomb_real_12k.png": "image-too-large",
  "chunklen.png": "broken-image", // upng hangs on its chunk length
  "hdr0.png": "broken-image",
  "hdr2g.png": "image-too-large",
  "hdr65500.jpg": "image-too-large",
  "hdr65500.png": "image-too-large",
  "hdr65500_16.png": "image-too-large",
  "hdr65500il.png": "image-too-large",
  "hdr65500prog.jpg": "image-too-large",
  "nopalette.png": "broken-image",
  "scanbomb.jpg": "image-too-large",
  "hdr2g.bmp": "unsupported-image",
  "hdr65500.gif": "unsupported-image",
  "real16383ll.webp": "unsupported-image",
};

describe.runIf(hasReference)("a hostile file", () => {
  it.for(Object.entries(REFUSED))("%s is refused as %s", async ([name, kind]) => {
    const file = await reference(`corpus/hostile/${name}`);
    const start = performance.now();
    expect((await refusal(file, OPTIONS)).kind).toBe(kind);
    expect(performance.now() - start).toBeLessThan(IN_TIME);
    await expectGoodImageToDecode();
  });

  it("with thousands of scans is refused for these where its pixels are allowed", async () => {
    const file = await reference("corpus/hostile/scanbomb.jpg");
    const start = performance.now();
    const error = await refusal(file, { ...OPTIONS, maxPixels: 20_000_000 });
    expect(performance.now() - start).toBeLessThan(IN_TIME);
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toContain("more than 100 scans");
  });

  it("with many animation frames costs no more than its first image", async () => {
    const file = await reference("corpus/hostile/apng_frames.png");
    const start = performance.now();
    expect((await decode(file, OPTIONS)).sourceWidth).toBe(2000);
    expect(performance.now() - start).toBeLessThan(2 * IN_TIME);
  });
});
