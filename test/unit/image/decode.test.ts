/**
 * decodeToInput(): photographs from file to input compared with Pillow, files that end early, and unsupported formats.
 */
import { describe, expect, it } from "vitest";
import { fixture, fixtureJson, hasReference, reference } from "../files.ts";
import {
  CENTER_OF_CHELSEA,
  decode,
  difference,
  differingFrom,
  EQUAL,
  expectGoodImageToDecode,
  formatCase,
  formatCases,
  refusal,
  TO_224,
} from "./references.ts";

describe("a photograph", () => {
  it("is cropped to its centre and resized to the bytes of Pillow", async () => {
    const decoded = await decode(await fixture("chelsea.png"), { ...TO_224, ...CENTER_OF_CHELSEA });
    expect(decoded).toMatchObject({ format: "png", sourceWidth: 451, sourceHeight: 300, missing: 0 });
    expect(difference(decoded.pixels, await fixture("resize/chelsea_center.rgb"))).toEqual(EQUAL);
  });

  it("is decoded beside others at the same time", async () => {
    const names = ["chelsea.png", "china.jpg", "camera.png", "grace_hopper.jpg", "coffee.png", "rocket.jpg"];
    const files = await Promise.all([...names, ...names].map(fixture));
    const alone: Uint8Array[] = [];
    for (const file of files) alone.push((await decode(file, TO_224)).pixels);
    const together = await Promise.all(files.map((file) => decode(file, TO_224)));
    for (const [i, { pixels }] of together.entries()) expect(difference(pixels, alone[i]), `${i}`).toEqual(EQUAL);
  });

  it("is cropped alike at the fast scale, where the crop is of the smaller picture", async () => {
    const file = await fixture("rocket.jpg"); // 640 × 427
    const options = { ...TO_224, width: 32, height: 24, crop: "center" } as const;
    const full = await decode(file, options);
    const fast = await decode(file, { ...options, scale: "auto" });
    expect(fast).toMatchObject({ sourceWidth: 640, sourceHeight: 427 });
    const { mean } = difference(fast.pixels, full.pixels);
    expect(mean).toBeGreaterThan(0); // it was another scale
    expect(mean).toBeLessThan(1);
  });
});

describe("a file that ends early", () => {
  /** How many first bytes tell the format: with fewer it is none. */
  const SNIFFABLE = { jpeg: 3, png: 4, webp: 12, gif: 6, bmp: 18 };
  type Format = keyof typeof SNIFFABLE;
  interface Whole {
    file: Uint8Array<ArrayBuffer>;
    width: number;
    height: number;
    rgb: Uint8Array;
  }

  const png = async (): Promise<Whole> => {
    const { cases } = await fixtureJson<{
      cases: (Record<"name" | "png" | "rgb", string> & Record<"width" | "height", number>)[];
    }>("png/variants.json");
    const found = cases.find(({ name }) => name === "colour type 2, 8 bits");
    if (found === undefined) throw new Error("there is no such PNG");
    return { ...found, file: Uint8Array.fromBase64(found.png), rgb: Uint8Array.fromBase64(found.rgb) };
  };

  const photo = async (): Promise<Whole> => {
    const file = await fixture("rocket.jpg");
    const { pixels } = await decode(file, { ...TO_224, width: 640, height: 427 });
    return { file, width: 640, height: 427, rgb: pixels };
  };

  const FILES: [kind: string, format: Format, whole: () => Promise<Whole>, step: number][] = [
    ["JPEG", "jpeg", () => formatCase("jpeg", "4:2:0"), 1],
    ["JPEG photograph", "jpeg", photo, 2003],
    ["PNG", "png", png, 1],
    ["lossy WebP", "webp", () => formatCase("webp", "lossy, of noise"), 1],
    ["lossless WebP", "webp", () => formatCase("webp", "lossless, of noise"), 1],
    ["GIF", "gif", () => formatCase("gif", "256 colours"), 1],
    ["BMP from the bottom up", "bmp", () => formatCase("bmp", "24 bits"), 1],
    ["BMP from the top down", "bmp", () => formatCase("bmp", "24 bits, from the top down"), 1],
    ["BMP in runs", "bmp", () => formatCase("bmp", "RLE8"), 1],
  ];

  it.for(FILES)(
    "has the rows that are there, if it is a %s, or is refused as broken",
    async ([kind, format, open, step]) => {
      const { file, width, height, rgb } = await open();
      const upward = kind === "BMP from the bottom up" || kind === "BMP in runs";
      let before = 1;
      let partial = false;
      for (let end = SNIFFABLE[format]; end < file.length; end += step) {
        const decoded = await decode(file.slice(0, end), { ...TO_224, width, height }).catch((error) => error);
        if (decoded instanceof Error) {
          expect(decoded, `${end} bytes: ${decoded.stack}`).toMatchObject({
            name: "LabelerError",
            kind: "broken-image",
          });
          // The header of a lossless WebP's codes is not read bit by bit: if cut off it counts as damaged.
          const reason = kind === "lossless WebP" ? /ends before its first row|damaged/ : /ends before its first row/;
          expect(decoded.message, `${end} bytes`).toMatch(reason);
          expect(before, `${end} bytes: fewer had rows`).toBe(1);
          continue;
        }
        const { missing, pixels } = decoded;
        expect(missing, `${end} bytes`).toBeLessThanOrEqual(before);
        expect(missing, `${end} bytes`).toBeLessThan(1);
        before = missing;
        if (missing > 0) partial = true;
        const rows = Math.round((1 - missing) * height);
        const [from, to] = upward ? [(height - rows) * width * 3, rgb.length] : [0, rows * width * 3];
        expect(difference(pixels.subarray(from, to), rgb.subarray(from, to)).max, `${rows} rows of ${end} bytes`).toBe(
          0,
        );
      }
      // 15 rows come at once from JPEG and WebP, whose blocks have 16: all or nothing.
      expect(partial).toBe(kind !== "JPEG" && format !== "webp");
      const { missing } = await decode(file, { ...TO_224, width, height });
      expect(missing).toBe(0);
      await expectGoodImageToDecode();
    },
  );

  it.runIf(hasReference).for(["base420.jpg", "rgb8.png", "lossy.webp", "ll.webp", "topdown.bmp"])(
    "has its upper rows, wherever it ends: corpus/variants/%s",
    async (name) => {
      const file = await reference(`corpus/variants/${name}`);
      const size = { width: 100, height: 377 };
      const crop = { x: 200, y: 0, ...size };
      const whole = await decode(file, { ...TO_224, ...size, crop });
      for (let tenth = 3; tenth < 10; tenth++) {
        const part = file.slice(0, Math.floor((file.length * tenth) / 10));
        const { pixels, missing } = await decode(part, { ...TO_224, ...size, crop });
        expect(missing, `${tenth}/10`).toBeGreaterThan(0.01);
        expect(missing, `${tenth}/10`).toBeLessThan(1);
        const end = Math.round((1 - missing) * size.height) * size.width * 3;
        expect(difference(pixels.subarray(0, end), whole.pixels.subarray(0, end)), `${tenth}/10`).toEqual(EQUAL);
      }
    },
  );

  it("has all that is wanted of it, if only the crop's rows are there", async () => {
    const { file, width, height, rgb } = await png();
    const crop = { x: 0, y: 0, width, height: 3 };
    const { pixels, missing } = await decode(file.slice(0, file.length / 2), { ...TO_224, width, height: 3, crop });
    expect(missing).toBe(0);
    expect(difference(pixels, rgb.subarray(0, width * 3 * 3))).toEqual(EQUAL);
    expect(height).toBe(11);
  });

  it("is not meant by a frame that covers only a part of its canvas", async () => {
    for (const { name, file } of await formatCases("gif")) {
      expect((await decode(file, TO_224)).missing, name).toBe(0);
    }
  });

  it("is not meant by any other whole file", async () => {
    for (const format of ["jpeg", "webp", "gif", "bmp"] as const) {
      const whole = (await formatCases(format)).filter(({ name }) => !name.startsWith("whose frame covers a part"));
      for (const { name, file } of whole) {
        const { missing } = await decode(file, TO_224);
        // Where runs end early or jump, the rows between are not there, and meant so.
        if (name !== "RLE8 with jumps") expect(missing, `${format} ${name}`).toBe(0);
      }
      expect(await differingFrom(whole)).toEqual({});
    }
  });
});

describe("what cannot be decoded", () => {
  const text = (value: string) =>
    Uint8Array.from(value, (character) => character.charCodeAt(0)) as Uint8Array<ArrayBuffer>;

  it.for([
    ["an AVIF", "\0\0\0\x1cftypavif\0\0\0\0avifmif1", ""],
    ["a HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1heic", " On an iPhone: Settings, Camera, Formats, Most Compatible."],
  ] as const)("is refused by its name if it is %s, with what to send instead", async ([name, file, hint]) => {
    const error = await refusal(text(file));
    expect(error.kind).toBe("unsupported-image");
    const formats = "JPEG, PNG, WebP, GIF, BMP, TIFF or PNM (P5, P6)";
    expect(error.message).toBe(`This is ${name} image. Send ${formats}.${hint}`);
  });

  it("is refused by its first bytes when it is no image", async () => {
    const error = await refusal(text("photo.jpg"));
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toContain('it begins with "photo.jp"');
    expect((await refusal(Uint8Array.of(0, 1, 2, 255))).message).toContain("it begins with the bytes 00 01 02 ff");
    const nothing = await refusal(new Uint8Array(0));
    expect(nothing.kind).toBe("unsupported-image");
    expect(nothing.message).toContain("not a single byte");
  });
});
