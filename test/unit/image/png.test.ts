/** PNGs of every kind against Pillow, and what is wrong with broken ones. */
import { beforeAll, describe, expect, it } from "vitest";
import { fixture, fixtureJson, hasReference } from "../files.ts";
import { chunk, concat, deflate, ihdr, png, SIGNATURE } from "./png-builder.ts";
import { decode, difference, differenceFrom, EQUAL, expectGoodImageToDecode, refusal, TO_224 } from "./references.ts";

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

  const VARIANTS =
    "apng bw1 go-v go-v.221212 go-v.cmyk go-v.progressive.truncated go-v.rgb go-video-005.gray grey16 grey2 grey4 grey8 " +
    "greytrns inter1 inter16 inter8 interpal interpal4 interrgba la16 la8 pal1 pal2 pal4 pal8 paltrns rgb16 rgb16trns " +
    "rgb8 rgba16 rgba8 rgbtrns";
  const PNGSUITE =
    "basn0g01-30 basn0g01 basn0g02-29 basn0g02 basn0g04-31 basn0g04 basn0g08 basn0g16 basn2c08 basn2c16 basn3p01 " +
    "basn3p02 basn3p04-31i basn3p04 basn3p08-trns basn3p08 basn4a08 basn4a16 basn6a08 basn6a16 ftbbn0g01 ftbbn0g02 " +
    "ftbbn0g04 ftbbn2c16 ftbbn3p08 ftbgn2c16 ftbgn3p08 ftbrn2c08 ftbwn0g16 ftbwn3p08 ftbyn3p08 ftp0n0g08 ftp0n2c08 " +
    "ftp0n3p08 ftp1n3p08";
  const LARGE = "1080_inter 1080_rgb 12mp_pal";
  const folders = { variants: VARIANTS, pngsuite: PNGSUITE, large: LARGE };
  it.runIf(hasReference).for(Object.entries(folders))(
    "and resized to its bytes: all of corpus/%s",
    async ([folder, names]) => {
      for (const name of names.split(" ")) {
        const actual = await differenceFrom(`corpus/${folder}/${name}.png`, `corpus/reference224/${name}.png.png`);
        expect(actual, name).toEqual(EQUAL);
      }
    },
  );
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
});

describe("a PNG that is cut off", () => {
  it("is refused as broken at every 97th byte, and the next image is decoded as before", async () => {
    const whole = await fixture("camera.png");
    for (let end = 97; end < whole.length; end += 97)
      expect((await refusal(whole.slice(0, end))).kind, `${end} bytes`).toBe("broken-image");
    await expectGoodImageToDecode();
  });

  it("within its compressed data is refused too, although its chunks are sound", async () => {
    const pixels = new Array<number>(64 * 65).fill(0).map((_, i) => (i % 65 === 0 ? i % 5 : (i * i) & 255));
    const data = await deflate(pixels);
    const header = ihdr({ width: 64, height: 64, depth: 8, colourType: 0 });
    const checksum = 4; // zlib's own, which nothing depends on
    for (let end = 0; end < data.length - checksum - 1; end += 7)
      expect((await refusal(png(header, chunk("IDAT", data.slice(0, end))))).kind, `${end} bytes`).toBe("broken-image");
    await decode(png(header, chunk("IDAT", data.slice(0, -checksum))), TO_224);
  });

  it("is decoded if only what follows the image data is missing", async () => {
    const variant = variants[0];
    const withoutEnd = Uint8Array.fromBase64(variant.png).slice(0, -12);
    const pixels = await decoded({ ...variant, png: withoutEnd.toBase64() });
    expect(difference(pixels, Uint8Array.fromBase64(variant.rgb))).toEqual(EQUAL);
  });
});

describe("a PNG is refused with the reason when", () => {
  const header = ihdr({ width: 2, height: 2, depth: 8, colourType: 0 });
  const rows = [0, 1, 2, 0, 3, 4];
  const end = chunk("IEND", []);
  let data: Uint8Array;
  beforeAll(async () => {
    data = chunk("IDAT", await deflate(rows));
  });

  it("its signature was damaged by a transfer as text", async () => {
    const file = png(header, data, end);
    file[4] = 0x0a;
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toContain("transfer as text");
  });

  it("a checksum does not match", async () => {
    const file = png(header, data, end);
    file[SIGNATURE.length + header.length + 12] ^= 1;
    expect((await refusal(file)).message).toContain("checksum of the PNG's IDAT chunk");
  });

  it.for([
    ["a bit depth that the colour type does not have", { depth: 4, colourType: 2 }, "bit depth 4 with colour type 2"],
    ["a colour type that does not exist", { colourType: 5 }, "colour type 5"],
    ["an unknown compression", { compression: 1 }, "compression 1"],
    ["an unknown interlacing", { interlace: 2 }, "interlace 2"],
    ["no width", { width: 0 }, "0 × 2"],
    ["no palette for its samples", { colourType: 3 }, "palette"],
  ] as const)("its header has %s", async ([, fields, reason]) => {
    const file = png(ihdr({ width: 2, height: 2, depth: 8, colourType: 0, ...fields }), data, end);
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toContain(reason);
  });

  it("it has more pixels than the limit, or a side that is too long, before it is unpacked", async () => {
    const many = await refusal(png(ihdr({ width: 5000, height: 4000, depth: 8, colourType: 2 })), {
      ...TO_224,
      maxPixels: 4_194_304,
    });
    expect(many.kind).toBe("image-too-large");
    expect(many.message).toContain("20,000,000 pixels and the limit is 4,194,304");
    expect(many.message).toContain("MAX_PIXELS");
    const long = await refusal(png(ihdr({ width: 70_000, height: 1, depth: 8, colourType: 2 })));
    expect(long.kind).toBe("image-too-large");
    expect(long.message).toContain("65,535");
  });

  it("its data is short, long beyond measure, no zlib stream, or has a line filter that does not exist", async () => {
    const cases: [number[], string][] = [
      [[0, 1, 2, 0, 3], "ends too early"],
      [[...rows, ...new Array<number>(100_000).fill(0)], "unpacks to more than the 6 bytes"],
      [[0, 1, 2, 5, 3, 4], "line filter 5"],
    ];
    for (const [content, reason] of cases) {
      const error = await refusal(png(header, chunk("IDAT", await deflate(content)), end));
      expect(error.kind).toBe("broken-image");
      expect(error.message).toContain(reason);
    }
    expect((await refusal(png(header, chunk("IDAT", [1, 2, 3, 4]), end))).message).toContain("damaged");
    expect((await refusal(png(header, chunk("IDAT", []), end))).message).toContain("damaged or ends");
  });

  it("its chunks are out of order, unknown and critical, missing, or without end", async () => {
    const many = concat(...new Array<Uint8Array>(256).fill(chunk("teSt", [])));
    const cases: [Uint8Array<ArrayBuffer>, string][] = [
      [png(data, header, end), "does not begin with a header"],
      [png(header, header, data, end), "critical chunk IHDR"],
      [png(header, chunk("ABCD", [1]), data, end), "critical chunk ABCD"],
      [png(header, end), "no image data"],
      [png(header), "no image data"],
      [png(), "ends before its header"],
      [png(header, concat(new Uint8Array(12)), data, end), "no chunk where one must begin"],
      [png(header, ...new Array<Uint8Array>(256).fill(many)), "more than 65536 chunks"],
    ];
    for (const [file, reason] of cases) expect((await refusal(file)).message).toContain(reason);
    const apple = await refusal(png(chunk("CgBI", [0, 0, 0, 0]), header, data, end));
    expect(apple.kind).toBe("unsupported-image");
  });

  it("any of its bytes is damaged: refused or decoded, but never failed on", async () => {
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
    expect(refused).toBeGreaterThan(whole.length * 0.8); // the last chunk is not looked at
    await expectGoodImageToDecode();
  });
});
