// Where the corpus and the fixtures lie, and the means to compare with Pillow's pixels without using the code under test.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { inflateSync } from "node:zlib";

/** The reference folder, which has the corpus: $LABELER_REFERENCE; undefined when that is not set. */
export const reference = process.env.LABELER_REFERENCE;

export const files = (...path) => {
  const folder = resolve(reference, ...path);
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, read: () => readFileSync(join(folder, name)) }));
};

const FIXTURES = new URL("../../../test/fixtures/", import.meta.url);

/** The images that the repository has, of every format: {name, bytes}. Some are in base64 in lists of cases. */
export function* fixtures() {
  for (const folder of ["", "formats/"]) {
    for (const name of readdirSync(new URL(folder, FIXTURES)).sort()) {
      const url = new URL(folder + name, FIXTURES);
      if (/\.(png|jpg|webp|gif)$/.test(name)) yield { name, bytes: readFileSync(url) };
    }
  }
  for (const list of ["formats/cases.json", "formats/raster.json", "png/variants.json"]) {
    const parsed = JSON.parse(readFileSync(new URL(list, FIXTURES), "utf8"));
    for (const { name, file, png = file } of parsed.cases ?? parsed) {
      yield { name, bytes: Buffer.from(png, "base64") };
    }
  }
}

/** Reads an 8-bit RGB PNG that is not interlaced, which is what the references are. */
export function readReference(path) {
  const file = readFileSync(join(reference, path));
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  if (file[24] !== 8 || file[25] !== 2 || file[28] !== 0) throw new Error(`${path} is not plain RGB`);
  const data = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    if (file.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * 3;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const at = y * stride + i;
      const a = i >= 3 ? pixels[at - 3] : 0;
      const b = y ? pixels[at - stride] : 0;
      const c = i >= 3 && y ? pixels[at - stride - 3] : 0;
      const pa = Math.abs(b - c);
      const pb = Math.abs(a - c);
      const pc = Math.abs(a + b - 2 * c);
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      pixels[at] = raw[y * (stride + 1) + 1 + i] + [0, a, b, (a + b) >> 1, paeth][filter];
    }
  }
  return { width, height, pixels };
}

/** Mean and largest absolute difference. */
export function difference(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let sum = 0;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    sum += d;
    if (d > max) max = d;
  }
  return { mean: sum / a.length, max };
}

const bicubic = (x) => {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
};

/** Pillow's integer weights of one axis: for each output the first input and the weights from there on. */
function weightsOf(from, to) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, out) => {
    const center = (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - 2 * stretch + 0.5));
    const end = Math.min(from, Math.trunc(center + 2 * stretch + 0.5));
    const exact = Array.from({ length: end - first }, (_, i) => bicubic((i + first - center + 0.5) / stretch));
    const sum = exact.reduce((total, w) => total + w, 0);
    const weights = exact.map((w) => {
      const scaled = (w / sum) * (1 << 22);
      return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    });
    return { first, weights };
  });
}

const clamp = (sum) => Math.min(255, Math.max(0, sum >> 22));

/**
 * Pillow's `image.crop(box).resize((width, height), BICUBIC)` written plainly: the yardstick where no file made by
 * Pillow exists. `pixels` is [imageHeight, imageWidth, 3].
 */
export function plainResize(pixels, imageWidth, [x0, y0, cropWidth, cropHeight], width, height) {
  const middle = new Uint8Array(cropHeight * width * 3);
  weightsOf(cropWidth, width).forEach(({ first, weights }, x) => {
    for (let y = 0; y < cropHeight; y++) {
      for (let c = 0; c < 3; c++) {
        let sum = 1 << 21;
        weights.forEach((w, i) => {
          sum += w * pixels[((y0 + y) * imageWidth + x0 + first + i) * 3 + c];
        });
        middle[(y * width + x) * 3 + c] = clamp(sum);
      }
    }
  });
  const output = new Uint8Array(height * width * 3);
  weightsOf(cropHeight, height).forEach(({ first, weights }, y) => {
    for (let i = 0; i < width * 3; i++) {
      let sum = 1 << 21;
      weights.forEach((w, k) => {
        sum += w * middle[(first + k) * width * 3 + i];
      });
      output[y * width * 3 + i] = clamp(sum);
    }
  });
  return output;
}
