/** The images that npm run bench:fair sends, each another file, so that no cached result serves. */
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import UPNG from "upng-js";
import { chunk } from "../decode/writers.ts";

/** Photos as cameras of gateways send them: 112 KB and 61 KB. */
const [ROCKET, HOPPER] = ["rocket.jpg", "grace_hopper.jpg"].map((name) => readFileSync(`test/fixtures/${name}`));

/** On average 95 KB. */
const PHOTOS = [ROCKET, ROCKET, HOPPER];

let made = 0;

/** The same JPEG with a comment of its own, as a file that nobody has sent yet. */
export function distinctJpeg(jpeg: Uint8Array): Buffer {
  const text = Buffer.from(`${process.pid} ${made++}`);
  const comment = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), comment, text, jpeg.subarray(2)]);
}

/** What the other client sends again and again. */
export const smallPhoto = (): Buffer => distinctJpeg(ROCKET);

/** A form of so many photos, and the Content-Type that belongs to it. */
export function photoForm(count: number): { readonly body: Buffer; readonly contentType: string } {
  const boundary = "edge-labeler-bench-fair";
  const parts = Array.from({ length: count }, (_, i) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="${i}.jpg"\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), distinctJpeg(PHOTOS[i % PHOTOS.length]), Buffer.from("\r\n")]);
  });
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}

/** Of the pixels that a large PNG shows, every second of a photo's in each direction is one square of so many pixels. */
const ENLARGE = 18;

/**
 * A PNG of 11 megapixels and about 150 KB: a list of 60 fits into MAX_FORM_BYTES, and each takes as much inflating and
 * resizing as any other picture of its size.
 */
function largePng(): (text: string) => Buffer {
  const file = readFileSync("test/fixtures/chelsea.png");
  const decoded = UPNG.decode(Uint8Array.from(file).buffer);
  const rgba = new Uint8Array(UPNG.toRGBA8(decoded)[0]);
  const [columns, lines] = [decoded.width >> 1, decoded.height >> 1];
  const stride = 1 + 3 * columns * ENLARGE;
  const rows = Buffer.alloc(stride * lines * ENLARGE);
  for (let line = 0; line < lines; line++) {
    // The first row of squares as it is, those below it as differences from the one above: nothing.
    const first = line * ENLARGE * stride;
    for (let column = 0; column < columns; column++) {
      const pixel = rgba.subarray(4 * (2 * line * decoded.width + 2 * column)).subarray(0, 3);
      for (let x = 0; x < ENLARGE; x++) rows.set(pixel, first + 1 + 3 * (column * ENLARGE + x));
    }
    for (let y = 1; y < ENLARGE; y++) rows[first + y * stride] = 2;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(columns * ENLARGE);
  header.writeUInt32BE(lines * ENLARGE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const before = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header)]);
  const after = Buffer.concat([chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", new Uint8Array())]);
  return (text) => Buffer.concat([before, chunk("tEXt", Buffer.from(`Comment\0${text}`, "latin1")), after]);
}

/** A JSON list of so many large PNGs in base64. */
export function pngList(count: number): { readonly body: Buffer; readonly contentType: string } {
  const png = largePng();
  const images = Array.from({ length: count }, () => png(`${process.pid} ${made++}`).toString("base64"));
  return { body: Buffer.from(JSON.stringify({ images })), contentType: "application/json" };
}
