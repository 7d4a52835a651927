/**
 * The corpus of the reference data compared with Pillow 12.2, and photographs at the scale that the service chooses.
 */
import { describe, expect, it } from "vitest";
import { toOrientation } from "../../../worker/image/orientation.ts";
import { fixture, hasReference, reference } from "../files.ts";
import { referencePixels } from "../reference-pixels.ts";
import { CORPUS, TRUNCATED } from "./corpus.ts";
import { decode, difference, differenceFrom, EQUAL, goldenPhotos, TO_224 } from "./references.ts";

/**
 * The one file whose reference is not the one of its name: Pillow's own JPEG decoder loses the rest of a file in
 * arithmetic coding when it has to wait for bytes. The same coefficients in Huffman coding are the better reference.
 */
const OTHER_REFERENCE: Readonly<Record<string, string>> = { "arith.jpg": "base420.jpg" };

/** Its 70 MB of coefficients do not fit, so it is decoded at 1/8 even where full size is asked for. */
const TOO_LARGE = "24mp_prog.jpg";

describe.runIf(hasReference)("the corpus at full size has the very pixels of Pillow", () => {
  for (const [folder, names] of Object.entries(CORPUS)) {
    it(`in each of the ${names.length} files of ${folder}`, async () => {
      for (const name of names) {
        const decoded = await decode(await reference(`corpus/${folder}/${name}`), TO_224);
        const expected = await referencePixels(`corpus/reference224/${OTHER_REFERENCE[name] ?? name}.png`);
        const far = difference(decoded.pixels, expected);
        if (name === TOO_LARGE) {
          expect(far.mean, name).toBeLessThan(0.4);
          expect(far.max, name).toBeLessThanOrEqual(6);
        } else {
          expect(far, name).toEqual(EQUAL);
        }
        expect(decoded.missing, name).toBeCloseTo(TRUNCATED[name] ?? 0, 3);
      }
    });
  }
});

describe.runIf(hasReference)("the EXIF orientation of the corpus", () => {
  it("is applied to the picture that is stored, as exif_transpose does", async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const file = await reference(`corpus/variants/exif${orientation}.jpg`);
      const applied = await decode(file, { ...TO_224, exif: "apply" });
      // The same file without its orientation, turned as Pillow turns (resize.test.ts), is the reference.
      const turned = await decode(await reference("corpus/variants/exif1.jpg"), {
        ...TO_224,
        exif: toOrientation(orientation),
      });
      expect(difference(applied.pixels, turned.pixels), `orientation ${orientation}`).toEqual(EQUAL);
      const [width, height] = orientation > 4 ? [377, 501] : [501, 377];
      expect(applied).toMatchObject({ sourceWidth: width, sourceHeight: height });
    }
  });
});

describe.runIf(hasReference)("a photograph of the golden set", () => {
  it("is at full size the very input that the golden outputs were made from", async () => {
    const photos = await goldenPhotos();
    expect(photos.length).toBe(114);
    for (const { path, expected } of photos) expect(await differenceFrom(path, expected), path).toEqual(EQUAL);
  });

  /** Fine stripes over most of the picture, which every reduction shows otherwise. */
  const WORST: Readonly<Record<string, number>> = { "images/kite_and_cold.jpg": 0.36 };
  it("is at the fast scale within 0.35 levels of it on average, and mostly much closer", async () => {
    const photos = await goldenPhotos();
    let sum = 0;
    for (const { path, expected } of photos) {
      const { mean } = await differenceFrom(path, expected, { scale: "auto" });
      expect(mean, path).toBeLessThanOrEqual(WORST[path] ?? 0.35);
      sum += mean;
    }
    expect(sum / photos.length).toBeLessThan(0.02);
  });

  it("is decoded at full size where a smaller scale would leave too little", async () => {
    const { pixels } = await decode(await fixture("rocket.jpg"), { ...TO_224, scale: "full" });
    const fast = await decode(await fixture("rocket.jpg"), { ...TO_224, scale: "auto" });
    expect(difference(fast.pixels, pixels)).toEqual(EQUAL);
  });
});
