/** The part of a picture that is used, and its scale. */
import { describe, expect, it } from "vitest";
import { centerBox, chooseScale, heightFirst, scaledSize, wholeBox } from "../../../worker/image/geometry.ts";

const size = (width: number, height: number) => ({ width, height });

describe("centerBox", () => {
  it("is 87.5 % of the short side, rounded half up, with the smaller margin on the left and above", () => {
    expect(centerBox(size(256, 256))).toEqual({ x: 16, y: 16, width: 224, height: 224 });
    expect(centerBox(size(451, 300))).toEqual({ x: 94, y: 18, width: 263, height: 263 });
    expect(centerBox(size(300, 451))).toEqual({ x: 18, y: 94, width: 263, height: 263 });
    expect(centerBox(size(1, 10))).toEqual({ x: 0, y: 4, width: 1, height: 1 });
  });

  it("lies within every picture, however small", () => {
    for (let width = 1; width <= 20; width++) {
      for (let height = 1; height <= 20; height++) {
        const box = centerBox({ width, height });
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(height);
        expect(box.width).toBe(box.height);
      }
    }
  });
});

describe("chooseScale", () => {
  const TARGET = size(224, 224);

  it("takes the smallest of 1, 2, 4 and 8 eighths that leaves each side twice the target's", () => {
    expect(chooseScale(size(3584, 3584), TARGET)).toBe(1);
    expect(chooseScale(size(3584, 3583), TARGET)).toBe(2);
    expect(chooseScale(size(1792, 9999), TARGET)).toBe(2);
    expect(chooseScale(size(1791, 9999), TARGET)).toBe(4);
    expect(chooseScale(size(896, 896), TARGET)).toBe(4);
    expect(chooseScale(size(895, 896), TARGET)).toBe(8);
    expect(chooseScale(size(1, 1), TARGET)).toBe(8);
  });

  it("looks at each side for itself", () => {
    expect(chooseScale(size(1600, 800), size(100, 50))).toBe(1);
    expect(chooseScale(size(1600, 800), size(50, 100))).toBe(2);
  });
});

describe("scaledSize", () => {
  it("rounds up, as libjpeg does", () => {
    expect(scaledSize(size(641, 427), 1)).toEqual(size(81, 54));
    expect(scaledSize(size(641, 427), 4)).toEqual(size(321, 214));
    expect(scaledSize(size(641, 427), 8)).toEqual(size(641, 427));
    expect(scaledSize(size(1, 1), 1)).toEqual(size(1, 1));
  });
});

describe("wholeBox", () => {
  it("is all of it", () => expect(wholeBox(size(3, 5))).toEqual({ x: 0, y: 0, width: 3, height: 5 }));
});

describe("heightFirst", () => {
  it("is Pillow's exception for what is over 100 times as tall as wide and becomes less tall", () => {
    expect(heightFirst(size(3, 301), size(20, 20))).toBe(true);
    expect(heightFirst(size(3, 300), size(20, 20))).toBe(false);
    expect(heightFirst(size(3, 301), size(20, 301))).toBe(false);
    expect(heightFirst(size(301, 3), size(20, 20))).toBe(false);
  });
});
