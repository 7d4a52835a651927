/** BMPs of every kind compared with Pillow, and the errors of broken ones. */
import { describe, expect, it } from "vitest";
import { differingFrom, expectDamageToBeRefusedOrDecoded, formatCase, formatCases, refusal } from "./references.ts";

/** A BMP with the header of Windows 3 and little behind it. */
function bmp(fields: { width?: number; height?: number; depth?: number; compression?: number; colours?: number } = {}) {
  const { width = 2, height = 2, depth = 24, compression = 0, colours = 0 } = fields;
  const file = new Uint8Array(54 + 64);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, depth, true);
  view.setUint32(30, compression, true);
  view.setUint32(46, colours, true);
  return file;
}

describe("a BMP is decoded to the pixels of Pillow", () => {
  it("of each depth, bit field, compression, header and direction", async () => {
    const cases = await formatCases("bmp");
    expect(cases.length).toBe(19);
    expect(await differingFrom(cases)).toEqual({});
  });
});

describe("a BMP", () => {
  const UNSUPPORTED = "This kind of BMP is not supported. Send it as a baseline JPEG or as a PNG.";
  it.for([
    ["has a JPEG inside", { compression: 4 }],
    ["has a PNG inside", { compression: 5 }],
    ["has 5 bits a pixel", { depth: 5 }],
    ["has 48 bits a pixel", { depth: 48 }],
    ["has runs of 24 bits", { compression: 1 }],
  ] as const)("is refused when it %s", async ([, fields]) => {
    const error = await refusal(bmp(fields));
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toBe(UNSUPPORTED);
  });

  const DAMAGED = "The BMP is damaged: what it says contradicts its format. Send it again.";
  const EMPTY = "The BMP ends before its first row of pixels. Send the whole file.";
  it.for([
    ["has no width", bmp({ width: 0 }), DAMAGED],
    ["has no height", bmp({ height: 0 }), DAMAGED],
    ["has a negative width", bmp({ width: -2 }), DAMAGED],
    ["has a height that has no opposite", bmp({ height: -0x8000_0000 }), DAMAGED],
    ["has more colours than there can be", bmp({ depth: 8, colours: 70_000 }), DAMAGED],
    ["ends within its header", bmp().slice(0, 30), EMPTY],
    ["ends within its first row", bmp().slice(0, 58), EMPTY],
  ] as const)("is refused when it %s", async ([, file, reason]) => {
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(reason);
  });

  it("is refused when it has more pixels than the limit, upside down too", async () => {
    for (const height of [10_000, -10_000]) {
      const error = await refusal(bmp({ width: 20_000, height }));
      expect(error.kind).toBe("image-too-large");
      expect(error.message).toContain("The BMP has 20,000 × 10,000 = 200,000,000 pixels and the limit is 100,000,000");
    }
  });

  it.for(["24 bits, version 5", "RLE8", "RLE4", "4 bits, of OS/2"])(
    "is refused or decoded, but never failed on, when any byte is damaged: %s",
    async (name) => {
      await expectDamageToBeRefusedOrDecoded((await formatCase("bmp", name)).file);
    },
  );
});
