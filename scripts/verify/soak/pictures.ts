/**
 * The pictures that `npm run soak` sends: all formats and sizes, as a new file each time if it should not be answered
 * from the cache.
 */
import { readFileSync } from "node:fs";
import UPNG from "upng-js";
import { encodeBmp } from "../../bench/decode/bmp.ts";
import { encodePng } from "../../bench/decode/writers.ts";

export interface Picture {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const NAMES = [
  "rocket.jpg",
  "grace_hopper.jpg",
  "china.jpg",
  "coffee.png",
  "chelsea.png",
  "camera.png",
  "coffee-96.webp",
  "resize/exif6.jpg",
  "formats/noise.gif",
  "formats/flat12mp.webp",
  "formats/large-progressive.jpg",
  "formats/large-lossless.webp",
];

/** The RGB pixels of a PNG. */
function pixelsOf(bytes: Uint8Array): { width: number; height: number; data: Uint8Array } {
  const decoded = UPNG.decode(Uint8Array.from(bytes).buffer);
  const rgba = new Uint8Array(UPNG.toRGBA8(decoded)[0]);
  const data = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0; i < data.length; i++) data[i] = rgba[4 * Math.floor(i / 3) + (i % 3)];
  return { width: decoded.width, height: decoded.height, data };
}

export function readPictures(): readonly Picture[] {
  const files = NAMES.map((name) => ({ name, bytes: new Uint8Array(readFileSync(`test/fixtures/${name}`)) }));
  const chelsea = pixelsOf(readFileSync("test/fixtures/chelsea.png"));
  return [
    ...files,
    { name: "chelsea.bmp", bytes: encodeBmp(chelsea) },
    { name: "chelsea-interlaced.png", bytes: encodePng(chelsea, { interlaced: true }) },
  ];
}

/** The same picture as a file that was never sent before: all decoders stop at a picture's end. */
export const distinct = ({ bytes }: Picture, mark: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat([bytes, Buffer.from(mark)]));
