/** GIFs of every kind compared with Pillow, and the errors of broken ones. */
import { describe, expect, it } from "vitest";
import { fixture } from "../files.ts";
import { concat } from "./png-builder.ts";
import {
  decode,
  difference,
  differingFrom,
  EQUAL,
  expectDamageToBeRefusedOrDecoded,
  formatCase,
  formatCases,
  refusal,
  syntheticPixels,
  TO_224,
} from "./references.ts";

const uint16 = (value: number) => [value & 255, value >> 8];
const gif = (width: number, height: number, ...blocks: ArrayLike<number>[]) =>
  concat(
    new TextEncoder().encode("GIF89a"),
    Uint8Array.from([...uint16(width), ...uint16(height), 0x80, 0, 0, 0, 0, 0, 255, 255, 255]), // black and white
    ...blocks.map((block) => Uint8Array.from(block)),
  );
const frame = (width: number, height: number) => [0x2c, 0, 0, 0, 0, ...uint16(width), ...uint16(height), 0];
const END = 0x3b;

/** LZW that begins well: a clear code, colour 1, colour 1, and zeros. */
const ROW_OF_4 = [2, 2, 0b01_001_100, 0, 0];

describe("a GIF is decoded to the pixels of Pillow", () => {
  it("of each number of colours, interlaced, transparent, animated, with palettes and frames of each kind", async () => {
    const cases = await formatCases("gif");
    expect(cases.length).toBe(19);
    expect(await differingFrom(cases)).toEqual({});
  });

  it("with codes of up to 12 bits and a table that is full", async () => {
    const [width, height] = [96, 96];
    const { pixels } = await decode(await fixture("formats/noise.gif"), { ...TO_224, width, height });
    const noise = syntheticPixels("noise", width, height);
    const expected = Uint8Array.from({ length: pixels.length }, (_, i) => noise[Math.floor(i / 3)]);
    expect(difference(pixels, expected)).toEqual(EQUAL);
  });
});

describe("a GIF", () => {
  const DAMAGED = "The GIF is damaged: what it says contradicts its format. Send it again.";
  const EMPTY = "The GIF ends before its first row of pixels. Send the whole file.";

  it("is refused when it has more pixels than the limit, on its canvas or in a frame that is larger", async () => {
    for (const file of [gif(20_000, 10_000, frame(1, 1), ROW_OF_4), gif(1, 1, frame(20_000, 10_000), ROW_OF_4)]) {
      const error = await refusal(file);
      expect(error.kind).toBe("image-too-large");
      expect(error.message).toContain("The GIF has 20,000 × 10,000 = 200,000,000 pixels and the limit is 100,000,000");
    }
  });

  it("is refused when it has more than 100,000 blocks before its picture", async () => {
    const comment = [0x21, 0xfe, 0];
    const many = concat(...new Array<Uint8Array>(100_001).fill(Uint8Array.from(comment)));
    const error = await refusal(gif(4, 1, many, frame(4, 1), ROW_OF_4));
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toBe("The GIF has more than 100,000 chunks, which is the limit. Save it anew.");
  });

  it.for([
    ["has no size", gif(0, 0, frame(0, 0), ROW_OF_4, [END]), DAMAGED],
    ["has codes that are too long", gif(4, 1, frame(4, 1), [13, 1, 0, 0, END]), DAMAGED],
    ["has a code that is not in the table", gif(4, 1, frame(4, 1), [2, 1, 0b00_111_100, 0, END]), DAMAGED],
    ["has something that is no block", gif(4, 1, [0x99]), EMPTY],
    ["has no frame", gif(4, 1, [END]), EMPTY],
    ["ends after its frame's header", gif(4, 1, frame(4, 1)), EMPTY],
    ["ends within its screen's header", gif(4, 1).slice(0, 9), EMPTY],
  ] as const)("is refused when it %s", async ([, file, reason]) => {
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(reason);
  });

  it.for(["16 colours, interlaced", "animated"])(
    "is refused or decoded, but never failed on, when any byte is damaged: %s",
    async (name) => {
      await expectDamageToBeRefusedOrDecoded((await formatCase("gif", name)).file);
    },
  );
});
