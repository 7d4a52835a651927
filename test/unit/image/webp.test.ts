/** WebP of every kind compared with Pillow (libwebp 1.6), its orientation, and the errors of broken files. */
import { describe, expect, it } from "vitest";
import { decodeToInput } from "../../../worker/image/decode.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
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
  Stream,
  TO_224,
} from "./references.ts";

const le = (bytes: number, value: number) => Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255);
const chunk = (tag: string, data: ArrayLike<number>) =>
  concat(
    new TextEncoder().encode(tag),
    Uint8Array.from(le(4, data.length)),
    Uint8Array.from(data),
    new Uint8Array(data.length & 1),
  );
const webp = (...chunks: Uint8Array[]) => {
  const content = concat(...chunks);
  const head = new TextEncoder().encode("RIFF    WEBP");
  head.set(le(4, content.length + 4), 4);
  return concat(head, content);
};

describe("a WebP is decoded to the pixels of Pillow", () => {
  it("lossy and lossless, of few and many colours, with alpha, animated, and down to a single pixel", async () => {
    const cases = await formatCases("webp");
    expect(cases.length).toBe(17);
    expect(await differingFrom(cases)).toEqual({});
  });

  // Its window of 6.3 MB does not fit into a small instance, which shows only when decoding has started.
  it("lossless and of 12 megapixels, in however small a file", async () => {
    const { pixels, missing } = await decode(await fixture("formats/flat12mp.webp"), {
      ...TO_224,
      width: 2,
      height: 4,
    });
    const [upper, lower] = [
      [202, 121, 39], // 200, 120, 40 and 30, 60, 90, but bicubic overshoots where they meet
      [28, 59, 91],
    ];
    expect([...pixels.subarray(0, 6), ...pixels.subarray(18)]).toEqual([...upper, ...upper, ...lower, ...lower]);
    expect(missing).toBe(0);
  });

  it("of an animation whose first frame covers a part, on black", async () => {
    const { file, width, height, rgb } = await formatCase("webp", "lossless, of noise");
    const image = file.subarray(12); // the VP8L chunk as it stands
    const frame = [...le(3, 2), ...le(3, 1), ...le(3, width - 1), ...le(3, height - 1), ...le(3, 100), 0];
    const animation = webp(
      chunk("VP8X", [2, 0, 0, 0, ...le(3, width + 5), ...le(3, height + 3)]),
      chunk("ANIM", [255, 255, 255, 255, 0, 0]),
      chunk("ANMF", concat(Uint8Array.from(frame), image)),
    );
    const [canvasWidth, canvasHeight] = [width + 6, height + 4];
    const { pixels } = await decode(animation, { ...TO_224, width: canvasWidth, height: canvasHeight });
    const expected = new Uint8Array(canvasWidth * canvasHeight * 3);
    for (let y = 0; y < height; y++)
      expected.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), ((y + 2) * canvasWidth + 4) * 3);
    expect(difference(pixels, expected)).toEqual(EQUAL);
  });
});

describe("the EXIF orientation of a WebP", () => {
  it("is applied or left alone as that of a JPEG", async () => {
    const { file, width, height, rgb } = await formatCase("webp", "with metadata"); // orientation 6
    const turned = await decode(file, { ...TO_224, width: height, height: width, exif: "apply" });
    expect(turned).toMatchObject({ sourceWidth: height, sourceHeight: width });
    const expected = await decode(file, { ...TO_224, width: height, height: width, exif: 6 });
    expect(difference(turned.pixels, expected.pixels)).toEqual(EQUAL);
    const asStored = await decode(file, { ...TO_224, width, height });
    expect(difference(asStored.pixels, rgb)).toEqual(EQUAL);
  });

  it("is applied too when it comes in a later chunk than the picture, where it always is", async () => {
    const { file, width, height } = await formatCase("webp", "with metadata");
    const size = { ...TO_224, width: height, height: width };
    const expected = await decode(file, { ...size, exif: 6 });
    for (const chunkBytes of [1, 100]) {
      const { pixels } = await decodeToInput(new ByteStream(new Stream(file, chunkBytes)), { ...size, exif: "apply" });
      expect(difference(pixels, expected.pixels), `chunks of ${chunkBytes}`).toEqual(EQUAL);
    }
  });
});

describe("a WebP", () => {
  const DAMAGED = "The WebP is damaged: what it says contradicts its format. Send it again.";
  const EMPTY = "The WebP ends before its first row of pixels. Send the whole file.";
  /** A lossless image's header: 14 bits each of width - 1 and height - 1. */
  const lossless = (width: number, height: number) => [0x2f, ...le(4, (width - 1) | ((height - 1) << 14))];

  it("is refused when it has more pixels than the limit, whatever little it takes to say so", async () => {
    const error = await refusal(webp(chunk("VP8L", lossless(16_000, 8_000))));
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toContain("The WebP has 16,000 × 8,000 = 128,000,000 pixels and the limit is 100,000,000");
  });

  it("is refused when it has more than 100,000 chunks", async () => {
    const many = concat(...new Array<Uint8Array>(100_001).fill(chunk("teSt", [])));
    const error = await refusal(webp(many, chunk("VP8L", lossless(4, 4))));
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toBe("The WebP has more than 100,000 chunks, which is the limit. Save it anew.");
  });

  it.for([
    ["has no image in it", webp(chunk("ICCP", [1, 2, 3])), DAMAGED],
    ["has no header of its image", webp(chunk("VP8 ", new Uint8Array(30))), DAMAGED],
    ["has an image without end", webp(chunk("VP8L", lossless(4, 4))), DAMAGED],
    ["has an image of noise", webp(chunk("VP8L", [...lossless(40, 40), ...new Array(90).fill(0xa7)])), DAMAGED],
    [
      "has a frame beyond its canvas",
      webp(chunk("VP8X", [0, 0, 0, 0, 1, 0, 0, 1, 0, 0]), chunk("VP8L", lossless(4, 4))),
      DAMAGED,
    ],
    ["ends after its signature", webp().slice(0, 12), DAMAGED],
    ["ends within its image's header", webp(chunk("VP8L", lossless(4, 4))).slice(0, 22), EMPTY],
  ] as const)("is refused when it %s", async ([, file, reason]) => {
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(reason);
  });

  it.for(["lossy, of noise", "lossless, of noise", "animated, lossy"])(
    "is refused or decoded, but never failed on, when any byte is damaged: %s",
    async (name) => {
      await expectDamageToBeRefusedOrDecoded((await formatCase("webp", name)).file);
    },
  );
});
