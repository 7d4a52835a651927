/** The layouts of a network's input, and the conversion from pixels with interleaved red, green and blue. */
import { type Input, LEVELS } from "../inference/input.ts";

/**
 * `rgb`: as in pixels, [1, height, width, 3]; `bgr`: the same with blue first, as OpenCV reads images; `grey`: one
 * value for each place, [1, height, width, 1], [1, height, width] or [1, 784]; `planes`: all of red, then all of green, then all
 * of blue, [1, 3, height, width], as in networks from PyTorch; `bgr-planes`: the same with blue first.
 */
export type Layout = "rgb" | "bgr" | "grey" | "planes" | "bgr-planes";

/** The order of colours that model.json may state. */
export type ColourOrder = "rgb" | "bgr";

export interface Size {
  readonly height: number;
  readonly width: number;
  readonly layout: Layout;
}

/** The pixels of a handwritten digit in MNIST, which tutorials lay in a row: 28 × 28. */
const DIGIT = 784;

/** @returns Undefined if an input of this shape is not a single image. */
export function layoutOf(shape: readonly number[]): Size | undefined {
  const [batch, a, b, c] = shape;
  if (batch !== 1) return undefined;
  if (shape.length === 2 && a === DIGIT) return { height: 28, width: 28, layout: "grey" };
  if (shape.length === 3) return { height: a, width: b, layout: "grey" };
  if (shape.length !== 4) return undefined;
  if (c === 3 || c === 1) return { height: a, width: b, layout: c === 3 ? "rgb" : "grey" };
  return a === 3 || a === 1 ? { height: b, width: c, layout: a === 3 ? "planes" : "grey" } : undefined;
}

/** @returns The layout with its colours in this order; a grey one stays as it is. */
export function inOrder(layout: Layout, order: ColourOrder): Layout {
  if (order === "rgb" || layout === "grey") return layout;
  return layout === "planes" ? "bgr-planes" : "bgr";
}

/** Swaps red and blue. @param values Interleaved, or three planes: `stride` is the distance between two colours. */
function swapped<T extends Uint8Array | Float32Array>(values: T, stride: number): T {
  const copy = values.slice() as T;
  const step = stride === 1 ? 3 : 1;
  for (let i = 0; i < values.length / 3; i++) {
    const [red, blue] = [i * step, i * step + 2 * stride];
    [copy[red], copy[blue]] = [values[blue], values[red]];
  }
  return copy;
}

/** Luma of ITU-R 601, rounded as in Pillow's convert("L"). */
const luma = (red: number, green: number, blue: number): number =>
  (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;

/**
 * Converts pixels to the network's input.
 *
 * @param pixels [height, width, 3], 0..255, red first.
 * @param levels The value for each byte, [channel][byte]; see levelsOf().
 * @param shape The shape of the network's input.
 */
export function inputFrom(pixels: Uint8Array, levels: Float32Array, layout: Layout, shape: readonly number[]): Input {
  if (layout === "rgb") return { pixels, levels, shape };
  if (layout === "bgr") return { pixels: swapped(pixels, 1), levels: swapped(levels, LEVELS), shape };
  const places = pixels.length / 3;
  const values = new Float32Array(layout === "grey" ? places : pixels.length);
  for (let place = 0, at = 0; place < places; place++, at += 3) {
    const [red, green, blue] = [pixels[at], pixels[at + 1], pixels[at + 2]];
    if (layout === "grey") {
      values[place] = levels[luma(red, green, blue)];
    } else {
      values[place] = levels[red];
      values[places + place] = levels[LEVELS + green];
      values[2 * places + place] = levels[2 * LEVELS + blue];
    }
  }
  return { values: layout === "bgr-planes" ? swapped(values, places) : values, shape };
}
