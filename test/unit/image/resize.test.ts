/** The resize against Pillow's own output, byte by byte. */
import { beforeAll, describe, expect, it } from "vitest";
import { RowResizer } from "../../../worker/image/resize.ts";
import { difference, EQUAL, type PillowCase, pillowCases, syntheticPixels } from "./references.ts";

let pillow: { cases: PillowCase[]; pixels: Uint8Array };
beforeAll(async () => {
  pillow = await pillowCases();
});

function resize(c: PillowCase): Uint8Array {
  const [width, height] = c.source;
  const crop = c.crop && { x: c.crop[0], y: c.crop[1], width: c.crop[2], height: c.crop[3] };
  const target = { width: c.target[0], height: c.target[1] };
  const resizer = new RowResizer({ width, height }, target, { orientation: c.orientation, ...(crop && { crop }) });
  const pixels = syntheticPixels(c.kind, width, height);
  const row = new Uint8Array(width * 3);
  for (let y = 0; y < height; y++) {
    row.set(pixels.subarray(y * width * 3, (y + 1) * width * 3));
    resizer.pushRow(row); // the same array each time: rows must not be kept
  }
  return resizer.finish();
}

const expected = (c: PillowCase) => pillow.pixels.subarray(c.offset, c.offset + c.target[0] * c.target[1] * 3);

const compare = (cases: PillowCase[]) =>
  cases.map((c) => ({ ...c, ...difference(resize(c), expected(c)) })).filter(({ max }) => max > 0);

describe("RowResizer gives the bytes of Pillow", () => {
  it("when it makes images smaller, larger, and keeps a side", () => {
    const cases = pillow.cases.filter((c) => c.orientation === 1 && !c.crop);
    expect(cases.length).toBeGreaterThan(20);
    expect(compare(cases)).toEqual([]);
  });

  it("when only a crop is resized, up to single pixels and to the crop's own size", () => {
    const cases = pillow.cases.filter((c) => c.orientation === 1 && c.crop);
    expect(cases.length).toBeGreaterThan(8);
    expect(compare(cases)).toEqual([]);
  });

  it("when the rows come in any of the eight EXIF orientations, whole and cropped", () => {
    const cases = pillow.cases.filter((c) => c.orientation !== 1);
    expect(cases.length).toBeGreaterThan(20);
    expect(compare(cases)).toEqual([]);
  });
});

describe("RowResizer", () => {
  it("gives its output as soon as the crop's last row has come", () => {
    const whole = { width: 8, height: 100 };
    const crop = { x: 0, y: 10, width: 8, height: 8 };
    const resizer = new RowResizer(whole, { width: 8, height: 8 }, { crop });
    const row = new Uint8Array(24).fill(7);
    for (let y = 0; y < 17; y++) resizer.pushRow(row);
    expect(() => resizer.finish()).toThrow("before the last row");
    resizer.pushRow(row);
    expect(difference(resizer.finish(), new Uint8Array(8 * 8 * 3).fill(7))).toEqual(EQUAL);
  });

  it("refuses a crop outside the image, an empty size and a short row, which are bugs of the caller", () => {
    const size = { width: 4, height: 4 };
    const make = (crop: { x: number; y: number; width: number; height: number }) => () =>
      new RowResizer(size, size, { crop });
    expect(make({ x: 1, y: 0, width: 4, height: 4 })).toThrow(RangeError);
    expect(make({ x: 0, y: 0, width: 0, height: 4 })).toThrow(RangeError);
    expect(() => new RowResizer(size, size).pushRow(new Uint8Array(11))).toThrow(RangeError);
  });
});
