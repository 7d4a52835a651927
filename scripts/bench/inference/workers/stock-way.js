// Stock tfjs behind what npm has for the rest of the way: @jsquash/jpeg and @jsquash/resize.

import jpegModule from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";
import decodeJpeg, { init } from "@jsquash/jpeg/decode.js";
import resize, { initResize } from "@jsquash/resize";
import resizeModule from "@jsquash/resize/lib/resize/pkg/squoosh_resize_bg.wasm";
import { loadStock } from "./load-stock.js";
import { serve } from "./serve.js";

// Both packages return one, and workerd has none.
globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};

let ready;

/** Bicubic and antialiased, as the labeler does it, and without what costs more: linear light, premultiplied alpha. */
async function decode(bytes, { width, height }) {
  ready ??= Promise.all([init(jpegModule), initResize(resizeModule)]);
  await ready;
  const options = { width, height, method: "catrom", premultiply: false, linearRGB: false };
  const { data } = await resize(await decodeJpeg(bytes), options);
  const pixels = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    pixels[to] = data[from];
    pixels[to + 1] = data[from + 1];
    pixels[to + 2] = data[from + 2];
  }
  return pixels;
}

export default serve(loadStock, { decode });
