/**
 * Rectangles in fractions of the upright picture compared with Pillow's crop and resize, one by one and several at
 * once.
 */
import { describe, expect, it } from "vitest";
import { boxIn, type Fractions, parseFractions, writeFractions } from "../../../worker/image/fractions.ts";
import { mostRegions } from "../../../worker/image/region-memory.ts";
import { fixture, fixtureJson } from "../files.ts";
import { decode, difference, EQUAL } from "./references.ts";

interface RegionCase {
  readonly file: string;
  readonly crop: readonly [x0: number, y0: number, x1: number, y1: number];
  readonly size: readonly [width: number, height: number];
  /** Where its pixels begin in cases.rgb. */
  readonly offset: number;
}

const { cases, target } = await fixtureJson<{ cases: RegionCase[]; target: [number, number] }>("regions/cases.json");
const reference = await fixture("regions/cases.rgb");
const [width, height] = target;
const files = [...new Set(cases.map(({ file }) => file))];
const options = { width, height, exif: "apply", scale: "full", maxPixels: 1e8 } as const;

const fractions = ([x0, y0, x1, y1]: RegionCase["crop"]): Fractions => ({ x0, y0, x1, y1 });
const expected = ({ offset }: RegionCase) => reference.subarray(offset, offset + width * height * 3);

describe.each(files)("rectangles of %s", (name) => {
  const own = cases.filter(({ file }) => file === name);

  it("are Pillow's, byte for byte, each decoded alone", async () => {
    const file = await fixture(name);
    for (const one of own) {
      const { pixels, sourceWidth, sourceHeight } = await decode(file, { ...options, crop: fractions(one.crop) });
      expect(difference(pixels, expected(one)), `${one.crop}`).toEqual(EQUAL);
      const box = boxIn({ width: sourceWidth, height: sourceHeight }, fractions(one.crop));
      expect([box.width, box.height]).toEqual(one.size);
    }
  });

  it("are the same from one decode", async () => {
    const regions = own.map(({ crop }) => fractions(crop));
    const found = await decode(await fixture(name), { ...options, crop: "squash", regions });
    expect(found.regions.length).toBe(own.length);
    for (const [at, one] of own.entries()) expect(difference(found.regions[at], expected(one))).toEqual(EQUAL);
  });
});

describe("the scale of a JPEG with regions", () => {
  it("is that of the region that needs the most pixels", async () => {
    const file = await fixture("china.jpg"); // 640 × 427
    const small = { x0: 0.4, y0: 0.4, x1: 0.5, y1: 0.5 };
    const whole = { x0: 0, y0: 0, x1: 1, y1: 1 };
    const size = { ...options, scale: "auto", crop: "squash" } as const;
    const eighths = async (...regions: Fractions[]) => (await decode(file, { ...size, regions })).eighths;
    expect(await eighths(whole)).toBe(1);
    expect(await eighths(small)).toBe(8);
    expect(await eighths(whole, small)).toBe(8);
  });

  it("leaves a region within a few levels of that from the full size", async () => {
    const file = await fixture("china.jpg");
    const crop = { x0: 0.2, y0: 0.1, x1: 0.9, y1: 0.8 };
    const auto = await decode(file, { ...options, scale: "auto", crop });
    expect(auto.eighths).toBeLessThan(8);
    const { pixels } = await decode(file, { ...options, crop });
    expect(difference(auto.pixels, pixels).mean).toBeLessThan(1.5);
  });
});

describe("a rectangle", () => {
  it("is written as four numbers, and read back", () => {
    expect(parseFractions("0.25,0,.75,1")).toEqual({ x0: 0.25, y0: 0, x1: 0.75, y1: 1 });
    expect(writeFractions({ x0: 0.25, y0: 0, x1: 0.75, y1: 1 })).toBe("0.25,0,0.75,1");
  });

  it.each([
    "",
    "0,0,1",
    "0,0,1,1,1",
    "0,0,0,1",
    "0.5,0,0.4,1",
    "0,0,1.1,1",
    "-0.1,0,1,1",
    "a,0,1,1",
    "0,0,1e0,1",
    "0, 0,1,1",
  ])("%j is none", (text) => expect(parseFractions(text)).toBeUndefined());

  it("has one pixel at least, also where its edges round to the same one", () => {
    expect(boxIn({ width: 10, height: 10 }, { x0: 0.41, y0: 0.99, x1: 0.42, y1: 1 })).toEqual({
      ...{ x: 4, y: 9 },
      ...{ width: 1, height: 1 },
    });
  });

  it("of a size has a bound on how many there are, by their memory", () => {
    expect(mostRegions({ width: 224, height: 224 })).toBe(32);
    expect(mostRegions({ width: 640, height: 640 })).toBe(5);
    expect(mostRegions({ width: 4000, height: 4000 })).toBe(1);
  });
});
