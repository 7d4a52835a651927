/** JPEGs of every kind against Pillow (libjpeg-turbo 3.1), their orientation, and what is wrong with broken ones. */
import { describe, expect, it } from "vitest";
import { fixture, hasReference, reference } from "../files.ts";
import { decode, difference, differenceFrom, EQUAL, expectGoodImageToDecode, refusal, TO_224 } from "./references.ts";

const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8];

describe("a JPEG is decoded and resized to the bytes of Pillow", () => {
  const EXACT =
    "base420 base422 base444 go-v go-v.221212 go-v.progressive go-v.q50.410 go-v.q50.410.progressive go-v.q50.411 " +
    "go-v.q50.411.progressive go-v.q50.420 go-v.q50.420.progressive go-v.q50.422 go-v.q50.422.progressive go-v.q50.444 " +
    "go-v.q50.444.progressive go-v.restart2 go-v.rgb go-v.separate.dc.progression go-v.separate.dc.progression.progressive " +
    "go-video-005.gray go-video-005.gray.q50 go-video-005.gray.q50.2x2 go-video-005.gray.q50.2x2.progressive " +
    "go-video-005.gray.q50.progressive grey greyprog noeoi opt prog420 rgbjpeg rst rstrow samp4x1 trailing";
  it.runIf(hasReference)(
    "in every kind of sampling, coding and colour: all of corpus/variants but those below",
    async () => {
      for (const name of EXACT.split(" ")) {
        const actual = await differenceFrom(`corpus/variants/${name}.jpg`, `corpus/reference224/${name}.jpg.png`);
        expect(actual, name).toEqual(EQUAL);
      }
    },
  );

  it.runIf(hasReference)(
    "within a few levels where libjpeg-turbo interpolates colours that mozjpeg repeats",
    async () => {
      // Vertically halved colour (1x2), and the unfinished scans of a progressive image.
      for (const name of ["samp1x2", "go-v.q50.440", "go-v.q50.440.progressive", "go-v.progressive.truncated"]) {
        const actual = await differenceFrom(`corpus/variants/${name}.jpg`, `corpus/reference224/${name}.jpg.png`);
        expect(actual.max, name).toBeLessThanOrEqual(4);
        expect(actual.mean, name).toBeLessThan(0.2);
      }
    },
  );

  it.runIf(hasReference)("at 2 and 12 megapixels, baseline and progressive", async () => {
    for (const name of ["1080_base", "12mp_444", "12mp_base", "12mp_prog"]) {
      const actual = await differenceFrom(`corpus/large/${name}.jpg`, `corpus/reference224/${name}.jpg.png`);
      expect(actual, name).toEqual(EQUAL);
    }
  });
});

describe("the EXIF orientation of a JPEG", () => {
  it("is applied as Pillow's exif_transpose does before it resizes, to the byte", async () => {
    for (const orientation of ORIENTATIONS) {
      const options = { ...TO_224, width: 24, height: 20, exif: "apply" } as const;
      const decoded = await decode(await fixture(`resize/exif${orientation}.jpg`), options);
      const expected = await fixture(`resize/exif${orientation}.rgb`);
      expect(difference(decoded.pixels, expected), `orientation ${orientation}`).toEqual(EQUAL);
      const size = orientation > 4 ? [51, 75] : [75, 51];
      expect([decoded.sourceWidth, decoded.sourceHeight]).toEqual(size);
    }
  });

  it("is left alone with exif: ignore", async () => {
    const asStored = await fixture("resize/exif1.rgb");
    for (const orientation of ORIENTATIONS) {
      const file = await fixture(`resize/exif${orientation}.jpg`);
      const decoded = await decode(file, { ...TO_224, width: 24, height: 20 });
      expect(difference(decoded.pixels, asStored), `orientation ${orientation}`).toEqual(EQUAL);
      expect([decoded.sourceWidth, decoded.sourceHeight]).toEqual([75, 51]);
    }
  });

  it.runIf(hasReference)("is left alone in the corpus' references too", async () => {
    for (const orientation of ORIENTATIONS) {
      const path = `exif${orientation}.jpg`;
      expect(await differenceFrom(`corpus/variants/${path}`, `corpus/reference224/${path}.png`), path).toEqual(EQUAL);
    }
  });

  it("counts as 1 when it is out of range, of another type, or damaged", async () => {
    const file = await fixture("resize/exif6.jpg");
    const tag = file.findIndex((_, i) => file[i] === 0x01 && file[i + 1] === 0x12 && file[i + 3] === 3);
    expect(tag).toBeGreaterThan(0);
    const asStored = await fixture("resize/exif1.rgb");
    const damages: [offset: number, value: number][] = [
      [9, 9], // the value
      [9, 0],
      [3, 2], // its type
      [-3, 0xff], // where the directory is
      [-7, 0], // TIFF's magic number
      [-10, 0], // the byte order
    ];
    for (const [offset, value] of damages) {
      const damaged = file.slice();
      damaged[tag + offset] = value;
      const { pixels } = await decode(damaged, { ...TO_224, width: 24, height: 20, exif: "apply" });
      expect(difference(pixels, asStored), `byte ${offset} = ${value}`).toEqual(EQUAL);
    }
  });
});

describe("a JPEG is refused with the reason when", () => {
  /** A file of a frame header alone. */
  const frame = (marker: number, { precision = 8, width = 16, height = 16, components = 3 } = {}) =>
    Uint8Array.of(
      0xff,
      0xd8,
      0xff,
      marker,
      0,
      8,
      precision,
      height >> 8,
      height & 255,
      width >> 8,
      width & 255,
      components,
    );

  it.for([
    ["is lossless", frame(0xc3), "lossless (SOF3)"],
    ["is hierarchical", frame(0xc5), "hierarchical (SOF5)"],
    ["is coded arithmetically", frame(0xc9), "arithmetically (SOF9)"],
    ["is JPEG-LS", frame(0xf7), "JPEG-LS"],
    ["has 12 bits per sample", frame(0xc1, { precision: 12 }), "12 bits"],
    ["is CMYK", frame(0xc0, { components: 4 }), "CMYK"],
    ["has two components", frame(0xc0, { components: 2 }), "2 colour components"],
  ] as const)("it %s", async ([, file, reason]) => {
    const error = await refusal(file);
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toContain(reason);
  });

  it.for([
    ["has no height", frame(0xc0, { height: 0 }), "16 × 0"],
    ["has no width", frame(0xc2, { width: 0 }), "0 × 16"],
    ["ends after its frame header", frame(0xc0), "before its image data"],
    ["ends within its frame header", frame(0xc0).slice(0, 9), "before its frame header"],
    ["ends after its first marker", Uint8Array.of(0xff, 0xd8, 0xff), "before its frame header"],
    ["has a segment of an impossible length", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 1), "impossible length"],
    ["has image data first", Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2), "ahead of its frame header"],
  ] as const)("it %s", async ([, file, reason]) => {
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toContain(reason);
  });

  it("it has more pixels than the limit", async () => {
    const error = await refusal(frame(0xc0, { width: 4000, height: 3000 }), { ...TO_224, maxPixels: 4_194_304 });
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toContain("12,000,000 pixels and the limit is 4,194,304");
    expect(error.message).toContain("MAX_PIXELS");
  });

  it("its tables make no sense, in libjpeg's words, and the next image is decoded as before", async () => {
    const whole = await fixture("resize/exif1.jpg");
    const table = whole.findIndex((byte, i) => byte === 0xff && whole[i + 1] === 0xc4);
    const file = whole.slice();
    file.fill(0xff, table + 5, table + 21); // how many codes there are of each length
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toMatch(/libjpeg: .*Huffman table/);
    const { pixels } = await decode(whole, { ...TO_224, width: 24, height: 20 });
    expect(difference(pixels, await fixture("resize/exif1.rgb"))).toEqual(EQUAL);
  });
});

describe("a JPEG that is cut off", () => {
  it("is refused as broken at every length, as by Pillow, and the next image is decoded as before", async () => {
    const whole = await fixture("rocket.jpg");
    for (let end = 3; end < whole.length - 4000; end += 2003)
      expect((await refusal(whole.slice(0, end))).kind, `${end} of ${whole.length} bytes`).toBe("broken-image");
    await expectGoodImageToDecode();
  });

  it("by nothing but its end marker is decoded", async () => {
    const whole = await fixture("resize/exif1.jpg");
    const { pixels } = await decode(whole.slice(0, -2), { ...TO_224, width: 24, height: 20 });
    expect(difference(pixels, await fixture("resize/exif1.rgb"))).toEqual(EQUAL);
  });

  it.runIf(hasReference)(
    "is refused in the corpus, where the references were made with a switch of Pillow's",
    async () => {
      for (const name of ["trunc60.jpg", "truncprog.jpg"])
        expect((await refusal(await reference(`corpus/variants/${name}`))).kind, name).toBe("broken-image");
    },
  );
});

describe("a JPEG with any byte damaged", () => {
  it("is refused or decoded, but never failed on", async () => {
    const whole = await fixture("resize/exif3.jpg");
    for (let at = 0; at < whole.length; at += 3) {
      const file = whole.slice();
      file[at] ^= 0x55;
      await decode(file, { ...TO_224, width: 24, height: 20, maxPixels: 1_000_000 }).catch((error) => {
        expect(error.name, `byte ${at}: ${error.stack}`).toBe("LabelerError");
      });
    }
    await expectGoodImageToDecode();
  });
});
