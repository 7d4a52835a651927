/** Byte streams: chunks of any size give the same pixels, and no more of a file is read than necessary. */
import { describe, expect, it } from "vitest";
import { type DecodedImage, type DecodeOptions, decodeToInput } from "../../../worker/image/decode.ts";
import { ByteStream } from "../../../worker/runtime/byte-stream.ts";
import { fixture, hasReference, reference } from "../files.ts";
import { jpeg, segment } from "./jpeg-builder.ts";
import { chunk, concat, deflate, ihdr, png } from "./png-builder.ts";
import { decode, difference, EQUAL, formatCase, refusal, Stream, TO_224 } from "./references.ts";

const streamed = async (
  file: Uint8Array,
  chunkBytes: number,
  options: Partial<DecodeOptions> = {},
): Promise<DecodedImage & { taken: number }> => {
  const stream = new Stream(file, chunkBytes);
  const decoded = await decodeToInput(new ByteStream(stream), { ...TO_224, scale: "full", ...options });
  return { ...decoded, taken: stream.taken };
};

describe("the pixels are the same whatever the chunks are", () => {
  const same = async (name: string, file: Uint8Array, sizes: number[]) => {
    const whole = await decode(file, TO_224);
    for (const chunkBytes of sizes) {
      const { pixels, missing } = await streamed(file, chunkBytes);
      expect(difference(pixels, whole.pixels), `${name} in chunks of ${chunkBytes}`).toEqual(EQUAL);
      expect(missing).toBe(whole.missing);
    }
  };

  it("for small files of each kind", async () => {
    for (const [format, name] of [
      ["jpeg", "4:2:0"],
      ["jpeg", "4:2:0, progressive"],
      ["webp", "lossy, of noise"],
      ["webp", "lossless, of noise"],
      ["webp", "animated, lossy"],
      ["gif", "256 colours, interlaced"],
      ["bmp", "24 bits"],
      ["bmp", "RLE8"],
    ] as const) {
      const { file } = await formatCase(format, name);
      await same(`${format} ${name}`, file, [1, 2, 7, 100, 1000, file.length]);
    }
  });

  it("for photographs", async () => {
    for (const name of ["rocket.jpg", "camera.png"])
      await same(name, await fixture(name), [7, 1000, 65_536, 65_537, 1 << 20]);
  });

  it
    .runIf(hasReference)
    .for(
      (
        "base420.jpg prog420.jpg arith.jpg rst.jpg cmyk.jpg go-v.separate.dc.progression.jpg rgb8.png inter8.png " +
        "interpal4.png lossy.webp ll.webp anim.webp alpha.webp p.gif inter.gif offs.gif b24.bmp rle8.bmp topdown.bmp"
      ).split(" "),
    )("for each kind of the corpus: %s", async (name) => {
    const file = await reference(`corpus/variants/${name}`);
    await same(name, file, [1, 7, 1000, file.length]);
  });
});

describe("no more is taken than is needed", () => {
  const CHUNK_BYTES = 512;

  it("of a PNG, a JPEG, a GIF and a BMP with much behind the picture", async () => {
    const files = {
      jpeg: await fixture("rocket.jpg"),
      png: await fixture("camera.png"),
      gif: (await formatCase("gif", "256 colours")).file,
      bmp: (await formatCase("bmp", "24 bits")).file,
    };
    for (const [format, file] of Object.entries(files)) {
      const { taken, missing } = await streamed(concat(file, new Uint8Array(1 << 20)), CHUNK_BYTES);
      expect(taken, format).toBeLessThan(file.length + 2 * CHUNK_BYTES);
      expect(missing, format).toBe(0);
    }
  });

  it("of a WebP, which is kept whole, and whose size is in its header", async () => {
    const { file } = await formatCase("webp", "lossy, of noise");
    const { taken } = await streamed(concat(file, new Uint8Array(1 << 20)), CHUNK_BYTES);
    expect(taken).toBeLessThan(file.length + 2 * CHUNK_BYTES);
  });

  it("of a picture of which only the upper rows are wanted", async () => {
    const crop = { x: 0, y: 0, width: 100, height: 20 };
    for (const name of ["rocket.jpg", "coffee.png"]) {
      const file = await fixture(name);
      const { taken, missing, pixels } = await streamed(file, CHUNK_BYTES, { crop });
      expect(taken, name).toBeLessThan(file.length / 4);
      expect(missing, name).toBe(0);
      expect(difference(pixels, (await decode(file, { ...TO_224, crop })).pixels), name).toEqual(EQUAL);
    }
  });

  it("of what is refused by its header", async () => {
    const file = concat(await fixture("coffee.png"), new Uint8Array(1 << 20));
    const stream = new Stream(file, CHUNK_BYTES);
    const decoded = decodeToInput(new ByteStream(stream), { ...TO_224, maxPixels: 1000 });
    await expect(decoded).rejects.toMatchObject({ kind: "image-too-large" });
    expect(stream.taken).toBeLessThanOrEqual(CHUNK_BYTES);
  });

  it("of what is no image", async () => {
    const stream = new Stream(new Uint8Array(1 << 20), CHUNK_BYTES);
    await expect(decodeToInput(new ByteStream(stream), TO_224)).rejects.toMatchObject({ kind: "unsupported-image" });
    expect(stream.taken).toBeLessThanOrEqual(CHUNK_BYTES);
  });
});

describe("what is decoded when all of it has come", () => {
  /** @returns How many megapixels of the file there were between two turns on the thread, on average. */
  const stretch = async (file: Uint8Array) => {
    let turns = 0;
    const { sourceWidth, sourceHeight } = await decodeToInput(new ByteStream([file]), {
      ...TO_224,
      fileSize: file.length,
      execute: async (_, work) => {
        turns++;
        return work();
      },
    });
    return (sourceWidth * sourceHeight) / 1e6 / turns;
  };

  it("is decoded in several turns: a PNG of one colour", async () => {
    const [width, height] = [2048, 1024];
    const rows = await deflate(Array(height * (1 + width)).fill(0));
    const header = ihdr({ width, height, depth: 8, colourType: 0 });
    expect(rows.length).toBeLessThan(64 << 10); // a single chunk
    expect(await stretch(png(header, chunk("IDAT", rows), chunk("IEND", [])))).toBeLessThan(0.35);
  });

  it.runIf(hasReference)("is decoded in several turns: WebP, and JPEG of several scans", async () => {
    for (const name of ["12mp_lossy.webp", "1080_ll.webp", "12mp_prog.jpg", "24mp_prog.jpg"]) {
      expect(await stretch(await reference(`corpus/large/${name}`)), name).toBeLessThan(0.35);
    }
  });
});

describe("a stream that fails", () => {
  it("fails the decoding with its own error, and the next image is decoded", async () => {
    const file = await fixture("rocket.jpg");
    async function* failing() {
      yield file.subarray(0, 5000);
      throw new RangeError("the connection is gone");
    }
    for (let i = 0; i < 10; i++) {
      await expect(decodeToInput(new ByteStream(failing()), TO_224)).rejects.toThrow(
        new RangeError("the connection is gone"),
      );
    }
    expect((await decode(file, TO_224)).missing).toBe(0);
  });
});

describe("a picture that is begun again in a larger instance", () => {
  it.runIf(hasReference)("has the same pixels, in chunks of any size", async () => {
    const file = await reference("corpus/large/12mp_prog.jpg"); // 36 MB of coefficients
    const whole = await decode(file, TO_224);
    for (const chunkBytes of [100, 65_537, 1 << 20]) {
      const { pixels } = await streamed(file, chunkBytes);
      expect(difference(pixels, whole.pixels), `chunks of ${chunkBytes}`).toEqual(EQUAL);
    }
  });

  it.runIf(hasReference)("is refused when its header is too long to be kept that long", async () => {
    const file = await reference("corpus/large/12mp_prog.jpg");
    const padding = new Array<Uint8Array>(70).fill(segment(0xe5, new Uint8Array(65_000)));
    const error = await refusal(jpeg(...padding, file.subarray(2)));
    expect(error.kind).toBe("image-too-large");
    expect(error.message).toBe("The header of this image is too long.");
  });
});
