/** EXIF orientation: how the stored rows lie in the picture as it is meant to be seen. */

/** 1 = as stored … 8, as in the EXIF tag 0x0112. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface Layout {
  /** The stored rows are columns of the seen picture. */
  transposed: boolean;
  /** The stored columns run against the direction in which they are seen. */
  columnsReversed: boolean;
  /** The stored rows run against the direction in which they are seen. */
  rowsReversed: boolean;
}

const LAYOUTS: Record<Orientation, Layout> = {
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

/** The tag's value as an Orientation; what does not exist counts as 1, as every viewer does. */
export const toOrientation = (value: number): Orientation => (value in LAYOUTS ? (value as Orientation) : 1);
