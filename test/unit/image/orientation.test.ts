/** The eight EXIF orientations of a picture small enough to read; resize.test.ts compares them with Pillow. */
import { describe, expect, it } from "vitest";
import {
  layoutOf,
  type Orientation,
  storedBox,
  toOrientation,
  turnPixels,
  turnSize,
} from "../../../worker/image/orientation.ts";

const STORED = { width: 3, height: 2 };
/** The rows of this picture as stored are abc and def: how they are seen, from the EXIF specification's figures. */
const SEEN: Readonly<Record<Orientation, string[]>> = {
  1: ["abc", "def"],
  2: ["cba", "fed"],
  3: ["fed", "cba"],
  4: ["def", "abc"],
  5: ["ad", "be", "cf"],
  6: ["da", "eb", "fc"],
  7: ["fc", "eb", "da"],
  8: ["cf", "be", "ad"],
};
const ORIENTATIONS = Object.keys(SEEN).map(Number).map(toOrientation);

const toPixels = (letters: string) =>
  Uint8Array.from({ length: 3 * letters.length }, (_, i) => letters.charCodeAt(i / 3));
const toRows = (pixels: Uint8Array, width: number) => {
  const letters = Array.from({ length: pixels.length / 3 }, (_, i) => String.fromCharCode(pixels[3 * i])).join("");
  return letters.match(new RegExp(`.{${width}}`, "g"));
};

describe.each(ORIENTATIONS)("orientation %s", (orientation) => {
  const layout = layoutOf(orientation);
  const rows = SEEN[orientation];

  it("turns the pixels and the size", () => {
    const seen = turnSize(STORED, layout);
    expect(seen).toEqual({ width: rows[0].length, height: rows.length });
    expect(turnSize(seen, layout)).toEqual(STORED);
    expect(toRows(turnPixels(toPixels("abcdef"), STORED, layout), seen.width)).toEqual(rows);
  });

  it("finds every box of the seen picture in the stored one", () => {
    const stored = ["abc", "def"];
    const cut = (from: string[], box: { x: number; y: number; width: number; height: number }) =>
      from.slice(box.y, box.y + box.height).map((row) => row.slice(box.x, box.x + box.width));
    for (let y = 0; y < rows.length; y++) {
      for (let x = 0; x < rows[0].length; x++) {
        for (let height = 1; y + height <= rows.length; height++) {
          for (let width = 1; x + width <= rows[0].length; width++) {
            const box = { x, y, width, height };
            const there = storedBox(box, STORED, layout);
            const pixels = turnPixels(toPixels(cut(stored, there).join("")), there, layout);
            expect(toRows(pixels, width)).toEqual(cut(rows, box));
          }
        }
      }
    }
  });
});

describe("toOrientation", () => {
  it("takes what does not exist for 1", () => {
    expect([0, 1, 2, 8, 9, -1, 65_535, 1.5, Number.NaN].map(toOrientation)).toEqual([1, 1, 2, 8, 1, 1, 1, 1, 1]);
  });
});
