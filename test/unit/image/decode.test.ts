/** The entry: photographs from file to input against Pillow, crops, and formats that are not decoded. */
import { describe, expect, it } from "vitest";
import { centerBox } from "../../../worker/image/geometry.ts";
import { fixture, hasReference, referenceJson } from "../files.ts";
import { CENTER_OF_CHELSEA, decode, difference, differenceFrom, EQUAL, refusal, TO_224 } from "./references.ts";

describe("a photograph", () => {
  it("is cropped to its centre and resized to the bytes of Pillow", async () => {
    const decoded = await decode(await fixture("chelsea.png"), { ...TO_224, ...CENTER_OF_CHELSEA });
    expect(decoded).toMatchObject({ format: "png", sourceWidth: 451, sourceHeight: 300 });
    expect(difference(decoded.pixels, await fixture("resize/chelsea_center.rgb"))).toEqual(EQUAL);
  });

  it("is decoded beside others at the same time", async () => {
    const names = ["chelsea.png", "china.jpg", "camera.png", "grace_hopper.jpg", "coffee.png", "rocket.jpg"];
    const files = await Promise.all(names.map(fixture));
    const alone: Uint8Array[] = [];
    for (const file of files) alone.push((await decode(file, TO_224)).pixels);
    const together = await Promise.all(files.map((file) => decode(file, TO_224)));
    for (const [i, { pixels }] of together.entries()) expect(difference(pixels, alone[i]), names[i]).toEqual(EQUAL);
  });

  it.runIf(hasReference)("of the golden set is the very input that the golden outputs were made from", async () => {
    const golden = await referenceJson<Record<"images" | "imagenet_sample", { file: string }[]>>(
      "golden/mobilenet_v1_1.0_224.json",
    );
    const files = [...golden.images, ...golden.imagenet_sample]
      .map(({ file }) => file)
      .filter((file) => /\.(png|jpe?g)$/i.test(file));
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      const folder = file.endsWith(".JPEG") ? "imagenet-sample" : "images";
      expect(await differenceFrom(`${folder}/${file}`, `golden/reference224/${file}.png`), file).toEqual(EQUAL);
    }
  });
});

describe("centerBox", () => {
  it("is 87.5 % of the short side, rounded half up, with the smaller margin on the left and above", () => {
    expect(centerBox({ width: 256, height: 256 })).toEqual({ x: 16, y: 16, width: 224, height: 224 });
    expect(centerBox({ width: 451, height: 300 })).toEqual({ x: 94, y: 18, width: 263, height: 263 });
    expect(centerBox({ width: 300, height: 451 })).toEqual({ x: 18, y: 94, width: 263, height: 263 });
    expect(centerBox({ width: 1, height: 10 })).toEqual({ x: 0, y: 4, width: 1, height: 1 });
  });
});

describe("what cannot be decoded", () => {
  const text = (value: string) => new TextEncoder().encode(value) as Uint8Array<ArrayBuffer>;

  it("is refused by its name, with what to send instead", async () => {
    const error = await refusal(text("II*\0 and so on"));
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toBe("This is a TIFF image. Send PNG or JPEG.");
  });

  it("is refused by its first bytes when it is no image", async () => {
    const error = await refusal(text("photo.jpg"));
    expect(error.kind).toBe("unsupported-image");
    expect(error.message).toContain('it begins with "photo.jp"');
    expect((await refusal(Uint8Array.of(0, 1, 2, 255))).message).toContain("it begins with the bytes 00 01 02 ff");
    expect((await refusal(new Uint8Array(0))).message).toContain("not a single byte");
  });
});
