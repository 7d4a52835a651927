/** Photos that a bench makes of others: resized, pasted into each other, moved, darkened and noisy. */
import { encodeJpeg, type Picture } from "../rivals/encoders.js";

/** Random numbers that are the same in each run (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** Of a normal distribution (Box and Muller, 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** Bilinear; good enough for pictures that are not compared with others. */
export function resized({ width, height, data }: Picture, toWidth: number, toHeight: number): Picture {
  const result = new Uint8Array(3 * toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const sy = Math.max(0, Math.min(height - 1, ((y + 0.5) * height) / toHeight - 0.5));
    const [top, fy] = [Math.floor(sy), sy % 1];
    const below = Math.min(height - 1, top + 1);
    for (let x = 0; x < toWidth; x++) {
      const sx = Math.max(0, Math.min(width - 1, ((x + 0.5) * width) / toWidth - 0.5));
      const [left, fx] = [Math.floor(sx), sx % 1];
      const right = Math.min(width - 1, left + 1);
      for (let c = 0; c < 3; c++) {
        const at = (row: number, column: number) => data[3 * (row * width + column) + c] ?? 0;
        const upper = at(top, left) * (1 - fx) + at(top, right) * fx;
        const lower = at(below, left) * (1 - fx) + at(below, right) * fx;
        result[3 * (y * toWidth + x) + c] = Math.round(upper * (1 - fy) + lower * fy);
      }
    }
  }
  return { width: toWidth, height: toHeight, data: result };
}

/** The picture with another one in it. */
export function pasted(picture: Picture, patch: Picture, left: number, top: number): Picture {
  const data = picture.data.slice();
  for (let y = 0; y < patch.height; y++) {
    const row = patch.data.subarray(3 * y * patch.width, 3 * (y + 1) * patch.width);
    data.set(row, 3 * ((top + y) * picture.width + left));
  }
  return { ...picture, data };
}

/** A frame of a camera that stands still: moved by up to 4 pixels, with another exposure and noise, as a JPEG. */
export function frameOf({ width, height, data }: Picture, random: SeededRandom): Promise<Uint8Array> {
  const [dx, dy] = [random.whole(-4, 4), random.whole(-4, 4)];
  const [gamma, gain] = [random.between(0.5, 1.8), random.between(0.6, 1.15)];
  const levels = Float32Array.from({ length: 256 }, (_, value) => 255 * gain * (value / 255) ** gamma);
  const frame = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = [x + dx, y + dy];
      const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
      for (let c = 0; c < 3; c++) {
        const level = inside ? (levels[data[3 * (fromY * width + fromX) + c] ?? 0] ?? 0) : 0;
        frame[3 * (y * width + x) + c] = Math.max(0, Math.min(255, Math.round(level + 255 * 0.03 * random.normal())));
      }
    }
  }
  return encodeJpeg({ width, height, data: frame }, { quality: 60, progressive: false });
}
