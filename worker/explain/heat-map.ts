/** Draws a class activation map over the image that it is of. Knows pixels only. */

/** [height, width, channels] in rows; channels is 3 for a picture, 1 for a map. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
}

/** The colours of no, some and most heat: red, green and blue, 0..255; what is between is mixed. */
const COLOURS = [
  [48, 18, 200],
  [30, 160, 230],
  [90, 220, 90],
  [250, 200, 40],
  [220, 30, 20],
] as const;

/** How much of the colour, at most, is laid over the picture. */
const COVER = 0.65;

function colour(heat: number, channel: number): number {
  const place = heat * (COLOURS.length - 1);
  const below = Math.min(Math.floor(place), COLOURS.length - 2);
  const part = place - below;
  return COLOURS[below][channel] * (1 - part) + COLOURS[below + 1][channel] * part;
}

/** For each place of the larger side, its two neighbours in the smaller one and the share of the second. */
function neighbours(from: number, to: number): { near: number; far: number; share: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const near = Math.floor(place);
    return { near, far: Math.min(near + 1, from - 1), share: place - near };
  });
}

/** Bilinear: the pictures here are only enlarged. @returns [height, width, channels]. */
function enlarge({ width, height, values }: Plane, channels: number, wide: number, high: number): Float32Array {
  const columns = neighbours(width, wide);
  const enlarged = new Float32Array(wide * high * channels);
  let at = 0;
  for (const row of neighbours(height, high)) {
    for (const column of columns) {
      for (let c = 0; c < channels; c++) {
        const value = (y: number, x: number) => values[(y * width + x) * channels + c];
        const above = value(row.near, column.near) * (1 - column.share) + value(row.near, column.far) * column.share;
        const below = value(row.far, column.near) * (1 - column.share) + value(row.far, column.far) * column.share;
        enlarged[at++] = above * (1 - row.share) + below * row.share;
      }
    }
  }
  return enlarged;
}

/**
 * Lays a map over a picture: the more a place speaks for the class, the warmer and denser its colour. What speaks against
 * it is left as it is.
 *
 * @param picture RGB, 0..255.
 * @param map One value a place, of any scale.
 * @returns [high, wide, 4] RGBA, 0..255, opaque.
 */
export function drawHeatMap(picture: Plane, map: Plane, wide: number, high: number): Uint8Array<ArrayBuffer> {
  const pixels = enlarge(picture, 3, wide, high);
  const heat = enlarge(map, 1, wide, high);
  let most = 0;
  for (let i = 0; i < map.values.length; i++) most = Math.max(most, map.values[i]);
  const drawn = new Uint8Array(wide * high * 4).fill(255);
  for (let i = 0; i < heat.length; i++) {
    const part = most > 0 ? Math.max(heat[i], 0) / most : 0;
    const cover = COVER * part;
    for (let c = 0; c < 3; c++) {
      drawn[4 * i + c] = Math.round(pixels[3 * i + c] * (1 - cover) + colour(part, c) * cover);
    }
  }
  return drawn;
}
