/**
 * The files that bench:decode measures, made once into .cache: photos of test/fixtures side by side, enlarged to a
 * camera's scale and with a sensor's noise on top, so that they compress about as photos of that size do.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeGif, encodeJpeg, encodeWebp, type Picture, readPhoto } from "../rivals/encoders.js";
import { encodeBmp } from "./bmp.ts";
import { encodePng, PALETTE, toPalette } from "./writers.ts";

const CACHE = "scripts/bench/.cache/inputs-1"; // a new number for new contents
const PHOTOS = ["china.jpg", "coffee.png", "rocket.jpg", "chelsea.png", "grace_hopper.jpg"];

/** Of a photo's part of the picture, before enlarging. */
const TILE = { width: 600, height: 400 };

const SIZES = {
  "12 MP": { width: 4000, height: 3000, enlarge: 3 },
  "1080p": { width: 1920, height: 1080, enlarge: 1.5 },
  "640×480": { width: 640, height: 480, enlarge: 1 },
} as const;
export type SizeName = keyof typeof SIZES;

const FORMATS = {
  JPEG: { kind: "jpeg", encode: (picture: Picture) => encodeJpeg(picture, { quality: 94, progressive: false }) },
  "JPEG progressive": {
    kind: "jpeg",
    encode: (picture: Picture) => encodeJpeg(picture, { quality: 94, progressive: true }),
  },
  PNG: { kind: "png", encode: (picture: Picture) => encodePng(picture) },
  "PNG interlaced": { kind: "png", encode: (picture: Picture) => encodePng(picture, { interlaced: true }) },
  "PNG palette": { kind: "png", encode: (picture: Picture) => encodePng(toPalette(picture), { palette: PALETTE }) },
  WebP: { kind: "webp", encode: (picture: Picture) => encodeWebp(picture, { quality: 80, lossless: false }) },
  "WebP lossless": { kind: "webp", encode: (picture: Picture) => encodeWebp(picture, { quality: 20, lossless: true }) },
  GIF: { kind: "gif", encode: (picture: Picture) => encodeGif(toPalette(picture), PALETTE) },
  BMP: { kind: "bmp", encode: (picture: Picture) => encodeBmp(picture) },
} as const;
export type FormatName = keyof typeof FORMATS;
export type Kind = (typeof FORMATS)[FormatName]["kind"];

export interface Input {
  readonly format: FormatName;
  readonly kind: Kind;
  readonly size: SizeName;
  readonly width: number;
  readonly height: number;
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const mirrored = (position: number, length: number) => {
  const inPeriod = position % (2 * length);
  return inPeriod < length ? inPeriod : 2 * length - 1 - inPeriod;
};

function compose({ width, height, enlarge }: (typeof SIZES)[SizeName], photos: readonly Picture[]): Picture {
  const data = new Uint8Array(width * height * 3);
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const [left, top] = [x / enlarge, y / enlarge];
      const [column, row] = [Math.floor(left / TILE.width), Math.floor(top / TILE.height)];
      const photo = photos[(column + 3 * row) % photos.length];
      const [inX, inY] = [left - column * TILE.width, top - row * TILE.height];
      const [fractionX, fractionY] = [inX % 1, inY % 1];
      const [x0, x1] = [mirrored(Math.floor(inX), photo.width), mirrored(Math.floor(inX) + 1, photo.width)];
      const [y0, y1] = [mirrored(Math.floor(inY), photo.height), mirrored(Math.floor(inY) + 1, photo.height)];
      const grain = 5 * (noise() + noise() + noise() - 1.5);
      for (let c = 0; c < 3; c++) {
        const pixel = (px: number, py: number) => photo.data[3 * (py * photo.width + px) + c];
        const upper = pixel(x0, y0) * (1 - fractionX) + pixel(x1, y0) * fractionX;
        const lower = pixel(x0, y1) * (1 - fractionX) + pixel(x1, y1) * fractionX;
        const value = upper * (1 - fractionY) + lower * fractionY + grain + 2 * (noise() - 0.5);
        data[at + c] = Math.max(0, Math.min(255, Math.round(value)));
      }
    }
  }
  return { width, height, data };
}

/** All inputs, each made when it is asked for, the formats of a kind after each other. */
export async function* inputs(wanted: (format: FormatName, size: SizeName) => boolean): AsyncGenerator<Input> {
  mkdirSync(CACHE, { recursive: true });
  let photos: Picture[] | undefined;
  const pictures = new Map<SizeName, Picture>();
  for (const format of Object.keys(FORMATS) as FormatName[]) {
    for (const size of Object.keys(SIZES) as SizeName[]) {
      if (!wanted(format, size)) continue;
      const { kind, encode } = FORMATS[format];
      const { width, height } = SIZES[size];
      const path = join(CACHE, `${width}x${height}-${format.toLowerCase().replace(" ", "-")}.${kind}`);
      if (!existsSync(path)) {
        console.error(`making ${path}`);
        photos ??= PHOTOS.map((name) => readPhoto(join("test/fixtures", name)));
        const picture = pictures.get(size) ?? compose(SIZES[size], photos);
        pictures.set(size, picture);
        writeFileSync(path, await encode(picture));
      }
      yield { format, kind, size, width, height, path, bytes: readFileSync(path) };
    }
  }
}
