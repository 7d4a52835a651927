/** Formats by their first bytes. */
import { describe, expect, it } from "vitest";
import { imageStart, isImage, sniff } from "../../../worker/image/sniff.ts";
import { fixture, hasReference, reference } from "../files.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("sniff", () => {
  it("knows the images of the fixtures, whatever they are called", async () => {
    expect(sniff(await fixture("chelsea.png"))).toBe("png");
    expect(sniff(await fixture("china.jpg"))).toBe("jpeg");
  });

  it("knows each format, those too that cannot be decoded here, so that the answer can name them", () => {
    expect(sniff(bytes("RIFF\x24\0\0\0WEBPVP8 "))).toBe("webp");
    expect(sniff(bytes("GIF89a\x01\0"))).toBe("gif");
    expect(sniff(bytes(`BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0`))).toBe("bmp");
    expect(sniff(bytes("II*\0\x08\0\0\0"))).toBe("tiff");
    expect(sniff(bytes("MM\0*\0\0\0\x08"))).toBe("tiff");
    expect(sniff(bytes("\0\0\0\x18ftypheic\0\0\0\0mif1heic"))).toBe("heic");
    expect(sniff(bytes("\0\0\0\x1cftypavif\0\0\0\0avifmif1"))).toBe("avif");
    expect(sniff(bytes("\0\0\0\x1cftypmif1\0\0\0\0mif1avif"))).toBe("avif");
  });

  it("takes nothing else for an image", () => {
    for (const text of [
      "",
      "\xff\xd8",
      "BM is short for benchmark",
      '{"image":""}',
      "<svg/>",
      "%PDF-1.7",
      "RIFF\0\0\0\0WAVE",
    ])
      expect(sniff(bytes(text)), text).toBeUndefined();
    expect(sniff(bytes("\0\0\0\x1cftypisom\0\0\0\0isommp41"))).toBeUndefined();
    expect(isImage(bytes("--boundary"))).toBe(false);
  });

  it.runIf(hasReference)("knows each format of the corpus", async () => {
    const files = { webp: "lossy.webp", gif: "go-v.gif", bmp: "b24.bmp", png: "apng.png", jpeg: "cmyk.jpg" };
    for (const [format, file] of Object.entries(files))
      expect(sniff(await reference(`corpus/variants/${file}`)), file).toBe(format);
    expect(sniff(await reference("corpus/variants/core.bmp"))).toBe("bmp");
  });
});

describe("an image in a part of a camera's stream", () => {
  const JPEG = "\xff\xd8\xff\xe0";
  it.each([
    ["with boundary and headers", "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\n"],
    ["with line feeds alone", "\n--frame\nContent-Type: image/jpeg\n\n"],
    ["with headers alone", "Content-type: image/jpeg\r\nX-Timestamp: 12.5\r\n\r\n"],
    ["behind empty lines", "\r\n\r\n"],
    ["behind its length", "\0\0\x12\x34"],
  ])("is found %s", (_, head) => {
    expect(imageStart(bytes(head + JPEG))).toBe(head.length);
    expect(isImage(bytes(head + JPEG))).toBe(true);
  });
  it.each([
    ["a form's part", '--b\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: image/jpeg\r\n\r\n'],
    ["JSON", '{"image":"'],
    ["text", "see below\r\n\r\n"],
  ])("is not taken for %s", (_, head) => {
    expect(imageStart(bytes(head + JPEG))).toBe(0);
    expect(isImage(bytes(head + JPEG))).toBe(false);
  });
});
