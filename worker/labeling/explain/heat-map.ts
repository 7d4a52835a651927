/** Draws a class activation map over its image. It handles pixels only; png.ts encodes the file. */
import { COLOURS, COVER } from "./heat-colours.ts";

/** [height, width, channels], row by row; channels is 3 for a picture, 1 for a map. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
}

function colour(heat: number, channel: number): number {
  const place = heat * (COLOURS.length - 1);
  const below = Math.min(Math.floor(place), COLOURS.length - 2);
  const part = place - below;
  return COLOURS[below][channel] * (1 - part) + COLOURS[below + 1][channel] * part;
}

/** For each position along the larger side: its two neighbours along the smaller side, and the weight of the second. */
interface Neighbours {
  readonly near: Int32Array;
  readonly far: Int32Array;
  readonly share: Float64Array;
}

function findNeighbours(from: number, to: number): Neighbours {
  const [near, far, share] = [new Int32Array(to), new Int32Array(to), new Float64Array(to)];
  for (let i = 0; i < to; i++) {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    near[i] = Math.floor(place);
    far[i] = Math.min(near[i] + 1, from - 1);
    share[i] = place - near[i];
  }
  return { near, far, share };
}

/** A plane that is enlarged bilinearly, row by row. */
class Enlarged {
  readonly #plane: Plane;
  readonly #channels: number;
  readonly #columns: Neighbours;
  readonly #rows: Neighbours;

  constructor(plane: Plane, channels: number, wide: number, high: number) {
    this.#plane = plane;
    this.#channels = channels;
    this.#columns = findNeighbours(plane.width, wide);
    this.#rows = findNeighbours(plane.height, high);
  }

  /** Writes a row, [wide, channels]. */
  writeRow(y: number, row: Float32Array): void {
    const { width, values } = this.#plane;
    const { near, far, share } = this.#columns;
    const channels = this.#channels;
    const above = this.#rows.near[y] * width;
    const below = this.#rows.far[y] * width;
    const down = this.#rows.share[y];
    for (let x = 0, at = 0; x < near.length; x++) {
      const [left, right, across] = [near[x], far[x], share[x]];
      for (let c = 0; c < channels; c++, at++) {
        const first =
          values[(above + left) * channels + c] * (1 - across) + values[(above + right) * channels + c] * across;
        const second =
          values[(below + left) * channels + c] * (1 - across) + values[(below + right) * channels + c] * across;
        row[at] = first * (1 - down) + second * down;
      }
    }
  }
}

/**
 * A map laid over a picture: the more a place contributes to the class, the warmer and denser its colour. Places with a
 * negative contribution are left as they are. It is drawn row by row, so that the caller can yield the thread in
 * between.
 */
export class HeatMap {
  readonly width: number;
  readonly height: number;
  readonly #picture: Enlarged;
  readonly #map: Enlarged;
  readonly #most: number;
  readonly #pixels: Float32Array;
  readonly #heat: Float32Array;

  /**
   * @param picture RGB, 0..255. @param map One value for each place, at any scale.
   * @param width The width of the drawing, in pixels, and @param height its height: no smaller than the picture's.
   */
  constructor(picture: Plane, map: Plane, width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#picture = new Enlarged(picture, 3, width, height);
    this.#map = new Enlarged(map, 1, width, height);
    let most = 0;
    for (let i = 0; i < map.values.length; i++) most = Math.max(most, map.values[i]);
    this.#most = most;
    this.#pixels = new Float32Array(width * 3);
    this.#heat = new Float32Array(width);
  }

  /** Draws a row. @param rgb The destination, [width, 3], 0..255. */
  drawRow(y: number, rgb: Uint8Array): void {
    const [pixels, heat, most] = [this.#pixels, this.#heat, this.#most];
    this.#picture.writeRow(y, pixels);
    this.#map.writeRow(y, heat);
    for (let x = 0; x < heat.length; x++) {
      const part = most > 0 ? Math.max(heat[x], 0) / most : 0;
      const cover = COVER * part;
      for (let c = 0; c < 3; c++) {
        rgb[3 * x + c] = Math.round(pixels[3 * x + c] * (1 - cover) + colour(part, c) * cover);
      }
    }
  }
}
