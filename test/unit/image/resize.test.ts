/** The resize compared with Pillow's output, byte by byte, on generated pictures. */
import { beforeAll, describe, expect, it } from "vitest";
import { ADAM7, type Pass } from "../../../scripts/bench/decode/adam7.ts";
import { encodeBmp } from "../../../scripts/bench/decode/bmp.ts";
import { chunk, concat, deflate, ihdr, SIGNATURE } from "./png-builder.ts";
import { decode, difference, type PillowCase, pillowCases, syntheticPixels } from "./references.ts";

let pillow: { cases: PillowCase[]; pixels: Uint8Array };
beforeAll(async () => {
  pillow = await pillowCases();
});

/** A PNG of 24 bits. */
async function png(
  pixels: Uint8Array,
  width: number,
  height: number,
  passes: readonly Pass[],
): Promise<Uint8Array<ArrayBuffer>> {
  const data: number[] = [];
  for (const [x0, y0, dx, dy] of passes) {
    for (let y = y0; y < height && x0 < width; y += dy) {
      data.push(0); // no filter
      for (let x = x0; x < width; x += dx) data.push(...pixels.subarray((y * width + x) * 3, (y * width + x + 1) * 3));
    }
  }
  const interlace = passes.length > 1 ? 1 : 0;
  const header = ihdr({ width, height, depth: 8, colourType: 2, interlace });
  return concat(SIGNATURE, header, chunk("IDAT", await deflate(data)), chunk("IEND", []));
}

type File = Uint8Array<ArrayBuffer>;
type Encode = (pixels: Uint8Array, width: number, height: number) => File | Promise<File>;
const ENCODINGS: Record<string, Encode> = {
  "rows from the top down": (data, width, height) => encodeBmp({ width, height, data }, { topDown: true }),
  "rows from the bottom up": (data, width, height) => encodeBmp({ width, height, data }),
  "a PNG": (pixels, width, height) => png(pixels, width, height, [[0, 0, 1, 1]]),
  "an interlaced PNG": (pixels, width, height) => png(pixels, width, height, ADAM7),
};

async function differing(cases: PillowCase[], encode: Encode): Promise<PillowCase[]> {
  const wrong: PillowCase[] = [];
  for (const c of cases) {
    const [width, height] = c.source;
    const file = await encode(syntheticPixels(c.kind, width, height), width, height);
    const crop = c.crop ? { x: c.crop[0], y: c.crop[1], width: c.crop[2], height: c.crop[3] } : "squash";
    const target = { width: c.target[0], height: c.target[1] };
    const { pixels } = await decode(file, { ...target, crop, exif: c.orientation, maxPixels: 1e8 });
    const expected = pillow.pixels.subarray(c.offset, c.offset + target.width * target.height * 3);
    if (difference(pixels, expected).max > 0) wrong.push(c);
  }
  return wrong;
}

describe.each(Object.keys(ENCODINGS))("from %s, the resize gives the bytes of Pillow", (encoding) => {
  it("when it makes images smaller, larger, and keeps a side", async () => {
    const cases = pillow.cases.filter((c) => c.orientation === 1 && !c.crop);
    expect(cases.length).toBeGreaterThan(20);
    expect(await differing(cases, ENCODINGS[encoding])).toEqual([]);
  });

  it("when only a crop is resized, up to single pixels and to the crop's own size", async () => {
    const cases = pillow.cases.filter((c) => c.orientation === 1 && c.crop);
    expect(cases.length).toBeGreaterThan(8);
    expect(await differing(cases, ENCODINGS[encoding])).toEqual([]);
  });

  it("when the rows lie in any of the eight EXIF orientations, whole and cropped", async () => {
    const cases = pillow.cases.filter((c) => c.orientation !== 1);
    expect(cases.length).toBeGreaterThan(20);
    expect(await differing(cases, ENCODINGS[encoding])).toEqual([]);
  });
});
