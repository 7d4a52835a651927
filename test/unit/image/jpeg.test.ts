/** JPEGs of every kind compared with Pillow (libjpeg-turbo 3.1), their orientation, and the errors of broken ones. */
import { describe, expect, it } from "vitest";
import { fixture, hasReference, reference } from "../files.ts";
import { frame, jpeg, START, scan, segment } from "./jpeg-builder.ts";
import { concat } from "./png-builder.ts";
import {
  decode,
  difference,
  differenceFrom,
  differingFrom,
  EQUAL,
  expectGoodImageToDecode,
  formatCase,
  formatCases,
  refusal,
  TO_224,
} from "./references.ts";

const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8];

describe("a JPEG is decoded to the pixels of Pillow", () => {
  it("in each sampling and colour space, baseline and progressive", async () => {
    const cases = await formatCases("jpeg");
    expect(cases.length).toBe(15);
    expect(await differingFrom(cases)).toEqual({});
  });

  it.runIf(hasReference)("in arithmetic coding, which Pillow itself does not get to the end of", async () => {
    const file = await reference("corpus/variants/arith.jpg");
    const huffman = await reference("corpus/variants/base420.jpg");
    for (const scale of ["full", "auto"] as const) {
      const { pixels } = await decode(file, { ...TO_224, width: 56, height: 42, scale });
      const expected = await decode(huffman, { ...TO_224, width: 56, height: 42, scale });
      expect(difference(pixels, expected.pixels), scale).toEqual(EQUAL);
    }
  });

  it.runIf(hasReference)("nearly, at the fast scale, whatever the coding and sampling", async () => {
    for (const name of ["12mp_base", "12mp_444", "12mp_prog", "24mp_base", "24mp_prog"]) {
      const path = `corpus/large/${name}.jpg`;
      const { mean } = await differenceFrom(path, `corpus/reference224/${name}.jpg.png`, { scale: "auto" });
      expect(mean, name).toBeLessThan(name.startsWith("24mp") ? 0.4 : 0.2);
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

  it("counts as 1 when it is out of range or damaged", async () => {
    const file = await fixture("resize/exif6.jpg");
    const tag = file.findIndex((_, i) => file[i] === 0x01 && file[i + 1] === 0x12 && file[i + 3] === 3);
    expect(tag).toBeGreaterThan(0);
    const asStored = await fixture("resize/exif1.rgb");
    const damages: [offset: number, value: number][] = [
      [9, 9], // the value
      [9, 0],
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

describe("the EXIF of a JPEG", () => {
  const turned = async (file: Uint8Array) =>
    difference(
      (await decode(file, { ...TO_224, width: 24, height: 20, exif: "apply" })).pixels,
      await fixture("resize/exif6.rgb"),
    );
  /** The file with something behind its EXIF segment, the first APP1. */
  const behindExif = (file: Uint8Array, ...parts: Uint8Array[]) => {
    const at = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xe1);
    const end = at + 2 + file[at + 2] * 256 + file[at + 3];
    return concat(file.subarray(0, end), ...parts, file.subarray(end));
  };
  const text = (value: string) => new TextEncoder().encode(value);

  it("is found before XMP, which is an APP1 too", async () => {
    const xmp = segment(0xe1, text("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"));
    expect(await turned(behindExif(await fixture("resize/exif6.jpg"), xmp))).toEqual(EQUAL);
  });

  it("is read from its first segment where it goes on in others, as Pillow joins them", async () => {
    const more = segment(0xe1, text(`Exif\0\0${"thumbnail".repeat(9)}`));
    expect(await turned(behindExif(await fixture("resize/exif6.jpg"), more))).toEqual(EQUAL);
  });
});

describe("a JPEG is refused with the reason when", () => {
  it.for([
    ["is lossless", 0xc3, {}, /^The JPEG is lossless .* Send it as a PNG\.$/],
    ["is hierarchical", 0xc5, {}, /^The JPEG is hierarchical/],
    ["has 12 bits per sample", 0xc1, { precision: 12 }, /^The JPEG has 12 or 16 bits per channel/],
    ["has two components", 0xc0, { components: 2 }, /^The JPEG has a number of channels other than 1, 3 or 4/],
  ] as const)("it %s", async ([, marker, fields, message]) => {
    const components = "components" in fields ? fields.components : 3;
    const error = await refusal(jpeg(frame(marker, fields), scan(components), new Uint8Array(64)));
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toMatch(message);
  });

  const DAMAGED = "The JPEG is damaged: what it says contradicts its format. Send it again.";
  const EMPTY = "The JPEG ends before its first row of pixels. Send the whole file.";
  const TABLE = segment(0xc4, [0, ...new Array<number>(16).fill(255), 0, 1]); // more codes than there can be
  it.for([
    ["has no height", jpeg(frame(0xc0, { height: 0 }), scan(3), Uint8Array.of(0xff, 0xd9)), DAMAGED],
    ["ends before the height that is to follow", jpeg(frame(0xc0, { height: 0 }), scan(3)), EMPTY],
    ["has no width", jpeg(frame(0xc2, { width: 0 }), scan(3)), DAMAGED],
    ["has no tables", jpeg(frame(0xc0), scan(3), new Uint8Array(64)), DAMAGED],
    ["has tables that make no sense", jpeg(TABLE, frame(0xc0), scan(3)), DAMAGED],
    ["has two frame headers", jpeg(frame(0xc0), frame(0xc0), scan(3)), DAMAGED],
    ["has image data first", jpeg(scan(3)), DAMAGED],
    ["has no image data", concat(START, frame(0xc0), Uint8Array.of(0xff, 0xd9)), DAMAGED],
    ["has a segment of an impossible length", jpeg(segment(0xe1, [], 1), frame(0xc0), scan(3)), DAMAGED],
    ["ends after its frame header", jpeg(frame(0xc0)), EMPTY],
    ["ends within its frame header", jpeg(frame(0xc0)).slice(0, 9), EMPTY],
    ["ends within its EXIF", jpeg(segment(0xe1, [], 5000)), EMPTY],
    ["ends after its first marker", Uint8Array.of(0xff, 0xd8, 0xff), EMPTY],
  ] as const)("it %s", async ([, file, reason]) => {
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(reason);
  });

  it("it has more pixels than the limit", async () => {
    const file = jpeg(frame(0xc0, { width: 4000, height: 3000 }), scan(3));
    const error = await refusal(file, { ...TO_224, maxPixels: 4_194_304 });
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toContain("The JPEG has 4,000 × 3,000 = 12,000,000 pixels and the limit is 4,194,304");
    expect(error.message).toContain("MAX_PIXELS");
  });

  it("it has to be buffered whole and is too large for that", async () => {
    const file = jpeg(frame(0xc0, { width: 8000, height: 6000 }), scan(1), new Uint8Array(64));
    const error = await refusal(file);
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toContain("of 8,000 × 6,000 pixels has to be buffered whole, in 288,000,000 bytes");
    expect(error.message).toContain("as a baseline JPEG");
  });

  it("it has more than 100 scans, and only then, at any scale", async () => {
    const { file, width, height, rgb } = await formatCase("jpeg", "4:2:0, progressive");
    const last = file.findLastIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda);
    const before = file.filter((byte, i) => byte === 0xff && file[i + 1] === 0xda).length - 1;
    const withScans = (count: number) => {
      const more = new Array<Uint8Array>(count - before).fill(file.subarray(last, -2));
      return concat(file.subarray(0, last), ...more, Uint8Array.of(0xff, 0xd9));
    };
    for (const side of [1, width]) {
      const size = { ...TO_224, width: side, height: Math.min(side, height), scale: "auto" } as const;
      const error = await refusal(withScans(101), size);
      expect(error.kind).toBe("image-too-large");
      expect(error.message).toBe("The JPEG has more than 100 scans, which is the limit. Save it anew.");
      expect((await decode(withScans(100), size)).missing).toBe(0);
    }
    const { pixels } = await decode(withScans(before + 1), { ...TO_224, width, height });
    expect(difference(pixels, rgb)).toEqual(EQUAL);
  });

  it("its tables are damaged, and the next image is decoded as before", async () => {
    const whole = await fixture("resize/exif1.jpg");
    const table = whole.findIndex((byte, i) => byte === 0xff && whole[i + 1] === 0xc4);
    const file = whole.slice();
    file.fill(0xff, table + 5, table + 21); // how many codes there are of each length
    const error = await refusal(file);
    expect(error.kind).toBe("broken-image");
    expect(error.message).toBe(DAMAGED);
    const { pixels } = await decode(whole, { ...TO_224, width: 24, height: 20 });
    expect(difference(pixels, await fixture("resize/exif1.rgb"))).toEqual(EQUAL);
  });
});

describe("a JPEG that is cut off", () => {
  it("by nothing but its end marker is whole", async () => {
    const file = await fixture("resize/exif1.jpg");
    const { pixels, missing } = await decode(file.slice(0, -2), { ...TO_224, width: 24, height: 20 });
    expect(difference(pixels, await fixture("resize/exif1.rgb"))).toEqual(EQUAL);
    expect(missing).toBe(0);
  });

  it.runIf(hasReference)("has all of its rows, some coarser than meant, if it is progressive", async () => {
    const { pixels, missing } = await decode(await reference("corpus/variants/truncprog.jpg"), TO_224);
    const whole = await decode(await reference("corpus/variants/prog420.jpg"), TO_224);
    expect(missing).toBeCloseTo(0.116, 3);
    expect(difference(pixels, whole.pixels).mean).toBeGreaterThan(0);
    expect(difference(pixels, whole.pixels).mean).toBeLessThan(4);
  });
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
