// What makes the files that are measured, and reads the photos that they are made of; in Node.
import { readFileSync } from "node:fs";
import encodeJpegPixels, { init as initJpeg } from "@jsquash/jpeg/encode.js";
import encodeWebpPixels, { init as initWebp } from "@jsquash/webp/encode.js";
import { decode as decodePng } from "fast-png";
import jpeg from "jpeg-js";
import { GifWriter } from "omggif";

const compiled = (path) => new WebAssembly.Module(readFileSync(new URL(`../node_modules/${path}`, import.meta.url)));

const toRGBA = ({ width, height, data }) => {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from];
    rgba[to + 1] = data[from + 1];
    rgba[to + 2] = data[from + 2];
  }
  return { width, height, data: rgba };
};

export function readPhoto(path) {
  const bytes = readFileSync(path);
  const image = path.endsWith(".png") ? decodePng(bytes) : jpeg.decode(bytes, { useTArray: true });
  const { width, height, data, channels = 4 } = image;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) rgb[3 * i + c] = data[channels * i + (channels < 3 ? 0 : c)];
  }
  return { width, height, data: rgb };
}

export async function encodeJpeg(picture, { quality, progressive }) {
  await initJpeg(compiled("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm"));
  const options = { quality, progressive, quant_table: 0, auto_subsample: false, chroma_subsample: 2 };
  return new Uint8Array(await encodeJpegPixels(toRGBA(picture), options));
}

export async function encodeWebp(picture, { quality, lossless }) {
  await initWebp(compiled("@jsquash/webp/codec/enc/webp_enc_simd.wasm"));
  const options = lossless ? { lossless: 1, method: 1, quality: 20 } : { quality };
  return new Uint8Array(await encodeWebpPixels(toRGBA(picture), options));
}

export function encodeGif({ width, height, data }, palette) {
  const file = new Uint8Array(2 * width * height + 4096);
  const writer = new GifWriter(file, width, height);
  writer.addFrame(0, 0, width, height, data, { palette });
  return file.slice(0, writer.end());
}
