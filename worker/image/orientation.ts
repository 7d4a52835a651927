/** EXIF orientation: how the stored rows lie in the picture as it should be seen. */
import type { Box, Size } from "./geometry.ts";

/** 1 = as stored … 8, as in the EXIF tag 0x0112. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface Layout {
  /** Whether the stored rows are columns of the seen picture. */
  readonly transposed: boolean;
  /** Whether the stored columns run against the direction in which they are seen. */
  readonly columnsReversed: boolean;
  /** Whether the stored rows run against the direction in which they are seen. */
  readonly rowsReversed: boolean;
}

const LAYOUTS: Readonly<Record<Orientation, Layout>> = {
  1: { transposed: false, columnsReversed: false, rowsReversed: false },
  2: { transposed: false, columnsReversed: true, rowsReversed: false },
  3: { transposed: false, columnsReversed: true, rowsReversed: true },
  4: { transposed: false, columnsReversed: false, rowsReversed: true },
  5: { transposed: true, columnsReversed: false, rowsReversed: false },
  6: { transposed: true, columnsReversed: false, rowsReversed: true },
  7: { transposed: true, columnsReversed: true, rowsReversed: true },
  8: { transposed: true, columnsReversed: true, rowsReversed: false },
};

export const layoutOf = (orientation: Orientation): Layout => LAYOUTS[orientation];

/** The tag's value as an Orientation; an invalid one counts as 1, as in every viewer. */
export const toOrientation = (value: number): Orientation => (value in LAYOUTS ? (value as Orientation) : 1);

/** Turns a size as seen into one as stored, or the reverse. */
export const turnSize = ({ width, height }: Size, { transposed }: Layout): Size =>
  transposed ? { width: height, height: width } : { width, height };

/** Converts a box of the seen picture to one of the stored picture. @param stored The size of the stored picture. */
export function storedBox(box: Box, stored: Size, { transposed, columnsReversed, rowsReversed }: Layout): Box {
  const { x, y, width, height } = transposed ? { x: box.y, y: box.x, width: box.height, height: box.width } : box;
  return {
    x: columnsReversed ? stored.width - x - width : x,
    y: rowsReversed ? stored.height - y - height : y,
    width,
    height,
  };
}

/**
 * Turns pixels, [height, width, 3] as stored, to the orientation in which they are seen.
 *
 * @param stored The stored size.
 */
export function turnPixels(pixels: Uint8Array<ArrayBuffer>, stored: Size, layout: Layout): Uint8Array<ArrayBuffer> {
  const { transposed, columnsReversed, rowsReversed } = layout;
  if (!transposed && !columnsReversed && !rowsReversed) return pixels;
  const seen = turnSize(stored, layout);
  const turned = new Uint8Array(pixels.length);
  const [columnStep, rowStep] = transposed ? [seen.width * 3, 3] : [3, seen.width * 3];
  let from = 0;
  for (let y = 0; y < stored.height; y++) {
    const row = (rowsReversed ? stored.height - 1 - y : y) * rowStep;
    for (let x = 0; x < stored.width; x++, from += 3) {
      const to = row + (columnsReversed ? stored.width - 1 - x : x) * columnStep;
      turned[to] = pixels[from];
      turned[to + 1] = pixels[from + 1];
      turned[to + 2] = pixels[from + 2];
    }
  }
  return turned;
}
