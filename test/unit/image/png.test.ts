/** PNGs of every kind compared with Pillow, and the errors of broken ones. */
import { beforeAll, describe, expect, it } from "vitest";
import { fixtureJson, hasReference, reference } from "../files.ts";
import { chunk, concat, deflate, ihdr, png } from "./png-builder.ts";
import {
  decode,
  difference,
  EQUAL,
  exifCases,
  expectGoodImageToDecode,
  refusal,
  syntheticPixels,
  TO_224,
} from "./references.ts";

interface Variant {
  name: string;
  width: number;
  height: number;
  /** Base64. */
  png: string;
  /** Base64 of [height, width, 3]. */
  rgb: string;
}

let variants: Variant[];
beforeAll(async () => {
  variants = (await fixtureJson<{ cases: Variant[] }>("png/variants.json")).cases;
});

/** Decodes at the image's own size, where the resize changes nothing. */
async function decoded({ png, width, height }: Variant): Promise<Uint8Array> {
  return (await decode(Uint8Array.fromBase64(png), { ...TO_224, width, height })).pixels;
}

describe("a PNG is decoded to the bytes of Pillow", () => {
  it("in each colour type, bit depth and interlacing, with each line filter", async () => {
    expect(variants.length).toBeGreaterThan(40);
    for (const variant of variants)
      expect(difference(await decoded(variant), Uint8Array.fromBase64(variant.rgb)), variant.name).toEqual(EQUAL);
  });
});

describe("the orientation in a PNG's eXIf chunk", () => {
  it("is applied or left alone as that of a JPEG", async () => {
    const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
    const header = ihdr({ width: 3, height: 1, depth: 8, colourType: 0 });
    const file = png(header, chunk("eXIf", tiff), chunk("IDAT", await deflate([0, 10, 20, 30])));
    const asStored = await decode(file, { ...TO_224, width: 3, height: 1 });
    expect([...asStored.pixels]).toEqual([10, 10, 10, 20, 20, 20, 30, 30, 30]);
    const turned = await decode(file, { ...TO_224, width: 1, height: 3, exif: "apply" });
    expect(turned).toMatchObject({ sourceWidth: 1, sourceHeight: 3 });
    expect([...turned.pixels]).toEqual([10, 10, 10, 20, 20, 20, 30, 30, 30]);
  });

  it("is taken as Pillow takes it, in each byte order and for each type and count of its value", async () => {
    const header = ihdr({ width: 3, height: 2, depth: 8, colourType: 0 });
    const data = chunk("IDAT", await deflate([0, 0, 40, 80, 0, 120, 160, 200]));
    const size = { ...TO_224, width: 3, height: 3 };
    const otherwise: string[] = [];
    for (const { order, type, count, value, tiff, orientation } of await exifCases()) {
      const { pixels } = await decode(png(header, chunk("eXIf", tiff), data), { ...size, exif: "apply" });
      const expected = await decode(png(header, data), { ...size, exif: orientation });
      if (difference(pixels, expected.pixels).max > 0)
        otherwise.push(`${order}: type ${type}, count ${count}, ${value}`);
    }
    expect(otherwise).toEqual([]);
  });
});

describe("a PNG that is cut off", () => {
  it("is whole if only what follows the image data is missing", async () => {
    const variant = variants[0];
    const whole = Uint8Array.fromBase64(variant.png);
    for (const cut of [4, 12]) {
      const { width, height } = variant;
      const { pixels, missing } = await decode(whole.slice(0, -cut), { ...TO_224, width, height });
      expect(difference(pixels, Uint8Array.fromBase64(variant.rgb))).toEqual(EQUAL);
      expect(missing).toBe(0);
    }
  });

  it("within its compressed data has the rows that are there, although its chunks are sound", async () => {
    const size = 64;
    const noise = syntheticPixels("noise", size, size);
    const rows = Array.from({ length: size * (size + 1) }, (_, i) => (i % (size + 1) === 0 ? 0 : noise[i]));
    const data = await deflate(rows);
    const header = ihdr({ width: size, height: size, depth: 8, colourType: 0 });
    const file = png(header, chunk("IDAT", data.slice(0, data.length / 2)), chunk("IEND", []));
    const { pixels, missing } = await decode(file, { ...TO_224, width: size, height: size });
    const present = Math.round((1 - missing) * size);
    expect(present).toBeGreaterThan(10);
    expect(present).toBeLessThan(60);
    const wrong = Array.from({ length: present * size }, (_, i) => i).filter((i) => {
      const y = Math.floor(i / size);
      return pixels[3 * i] !== rows[y * (size + 1) + 1 + (i % size)];
    });
    expect(wrong).toEqual([]);
  });

  it.runIf(hasReference)("has all rows coarsely, if it is interlaced and the last pass has begun", async () => {
    const whole = await reference("corpus/variants/inter8.png");
    const { pixels, missing } = await decode(whole.slice(0, Math.floor(whole.length * 0.75)), TO_224);
    expect(missing).toBeGreaterThan(0.2);
    expect(missing).toBeLessThan(0.5);
    expect(pixels.some((level) => level > 0)).toBe(true);
  });
});

describe("a PNG", () => {
  const header = ihdr({ width: 2, height: 2, depth: 8, colourType: 0 });
  const rows = [0, 1, 2, 0, 3, 4];
  const end = chunk("IEND", []);
  const OWN_SIZE = { ...TO_224, width: 2, height: 2 };
  const DAMAGED = "The PNG is damaged: what it says contradicts its format. Send it again.";
  const CHECKSUM = "A checksum in the PNG does not match: the file is damaged. Send it again.";
  const EMPTY = "The PNG ends before its first row of pixels. Send the whole file.";
  let data: Uint8Array;
  beforeAll(async () => {
    data = chunk("IDAT", await deflate(rows));
  });

  const levels = async (file: Uint8Array) => {
    const { pixels, missing } = await decode(file, OWN_SIZE);
    return { levels: [...pixels].filter((_, i) => i % 3 === 0), missing };
  };

  it("is decoded for all its first rows are worth, whatever follows them", async () => {
    const whole = { levels: [1, 2, 3, 4], missing: 0 };
    expect(await levels(png(header, data, end))).toEqual(whole);
    const long = await deflate([...rows, ...new Array<number>(1_000_000).fill(0)]);
    expect(await levels(png(header, chunk("IDAT", long), end))).toEqual(whole);
    const short = await deflate([0, 1, 2, 0, 3]);
    expect(await levels(png(header, chunk("IDAT", short), end))).toEqual({ levels: [1, 2, 0, 0], missing: 0.5 });
  });

  it("is decoded past chunks that are unknown, and past those that are not wanted", async () => {
    const file = png(header, chunk("teSt", [1, 2]), chunk("gAMA", [0, 0, 0, 1]), data, end);
    expect(await levels(file)).toEqual({ levels: [1, 2, 3, 4], missing: 0 });
  });

  it.for([
    ["IHDR", 0],
    ["PLTE", 1],
    ["IDAT", 2],
  ] as const)("is refused when the checksum of its %s does not match", async ([, at]) => {
    const colourful = ihdr({ width: 200, height: 200, depth: 8, colourType: 3 });
    const noise = Array.from({ length: 200 * 201 }, (_, i) => (i % 201 === 0 ? 0 : (i * i * 7) % 251));
    const compressed = await deflate(noise);
    const chunks = [
      colourful,
      chunk("PLTE", new Uint8Array(768)),
      chunk("IDAT", compressed.slice(0, 900)),
      chunk("IDAT", compressed.slice(900)),
    ];
    chunks[at][chunks[at].length - 1] ^= 1;
    const error = await refusal(png(...chunks, end));
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(CHECKSUM);
  });

  it("is refused when its signature was damaged by a transfer as text", async () => {
    const file = png(header, data, end);
    file[4] = 0x0a;
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toMatch(/^The PNG was sent as text, .* --data-binary\.$/);
  });

  it("is refused by its name when Apple has changed it", async () => {
    const error = await refusal(png(chunk("CgBI", [0, 0, 0, 0]), header, data, end));
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toMatch(/^The PNG is in Apple's CgBI form/);
  });

  it.each([5, 771, 3 * 300])("with a suggested palette of %i bytes has its own colours", async (size) => {
    const options = { ...TO_224, width: 4, height: 4 };
    const plain = await decode(png(header, data, end), options);
    const { pixels } = await decode(png(header, chunk("PLTE", new Uint8Array(size)), data, end), options);
    expect(difference(pixels, plain.pixels)).toEqual(EQUAL);
  });

  it.for([
    ["a bit depth that the colour type does not have", { depth: 4, colourType: 2 }],
    ["a bit depth that does not exist", { depth: 3 }],
    ["a colour type that does not exist", { colourType: 5 }],
    ["an unknown compression", { compression: 1 }],
    ["an unknown interlacing", { interlace: 2 }],
    ["no width", { width: 0 }],
    ["no height", { height: 0 }],
    ["a width beyond all bounds", { width: 0x8000_0000 }],
    ["no palette for its samples", { colourType: 3 }],
  ] as const)("is refused when its header has %s", async ([, fields]) => {
    const file = png(ihdr({ width: 2, height: 2, depth: 8, colourType: 0, ...fields }), data, end);
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(DAMAGED);
  });

  it("is refused when it has more pixels than the limit, before its data has come", async () => {
    const file = png(ihdr({ width: 5000, height: 4000, depth: 8, colourType: 2 }));
    const error = await refusal(file, { ...TO_224, maxPixels: 4_194_304 });
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toContain("The PNG has 5,000 × 4,000 = 20,000,000 pixels and the limit is 4,194,304");
    expect(error.message).toContain("MAX_PIXELS");
  });

  it("may be very wide, or very tall", async () => {
    for (const [width, height] of [
      [70_000, 1],
      [1, 70_000],
    ]) {
      const row = [0, ...new Array<number>(width).fill(77)];
      const content = Array.from({ length: height }, () => row).flat();
      const file = png(ihdr({ width, height, depth: 8, colourType: 0 }), chunk("IDAT", await deflate(content)), end);
      const { pixels, missing } = await decode(file, { ...TO_224, width: 3, height: 3 });
      expect([...new Set(pixels)], `${width} × ${height}`).toEqual([77]);
      expect(missing).toBe(0);
    }
  });

  it.for([
    ["no zlib stream", [1, 2, 3, 4], DAMAGED],
    ["nothing", [], EMPTY],
  ] as const)("is refused when its data is %s", async ([, content, reason]) => {
    const error = await refusal(png(header, chunk("IDAT", content), end));
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(reason);
  });

  it("is refused when a line filter does not exist", async () => {
    const error = await refusal(png(header, chunk("IDAT", await deflate([0, 1, 2, 5, 3, 4])), end));
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(DAMAGED);
  });

  it.for([
    ["the header is not the first", (all: Uint8Array) => png(all, header, end), DAMAGED],
    ["there are two headers", (all: Uint8Array) => png(header, header, all, end), DAMAGED],
    [
      "a chunk is longer than any",
      (all: Uint8Array) => png(header, Uint8Array.of(255, 0, 0, 0, 65, 65, 65, 65), all),
      DAMAGED,
    ],
    ["there is no image data", () => png(header, end), EMPTY],
    ["there is nothing but the header", () => png(header), EMPTY],
    ["there is not even the header", () => png(), EMPTY],
  ] as const)("is refused when %s", async ([, build, reason]) => {
    const error = await refusal(build(data));
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(reason);
  });

  it("is refused when it has more than 100,000 chunks, and only then", async () => {
    const many = (count: number) => concat(...new Array<Uint8Array>(count).fill(chunk("teSt", [])));
    const error = await refusal(png(header, many(100_000), data, end));
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toBe("The PNG has more than 100,000 chunks, which is the limit. Save it anew.");
    expect(await levels(png(header, many(99_998), data, end))).toEqual({ levels: [1, 2, 3, 4], missing: 0 });
  });

  it("is refused or decoded, but never failed on, when any of its bytes is damaged", async () => {
    const whole = Uint8Array.fromBase64(variants[0].png);
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const file = whole.slice();
      file[at] ^= 0x55;
      await decode(file, TO_224).catch((error) => {
        expect(error.name, `byte ${at}: ${error.stack}`).toBe("LabelerError");
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(whole.length / 2); // what follows the last row is not looked at
    await expectGoodImageToDecode();
  });
});
