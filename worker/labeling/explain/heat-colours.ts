/** The colours of a heat map, which the page's legend shows too. Imports nothing: the page takes it into the browser. */

/** The colours of no, some and most heat: red, green and blue, 0..255; what is between is mixed. */
export const COLOURS = [
  [48, 18, 200],
  [30, 160, 230],
  [90, 220, 90],
  [250, 200, 40],
  [220, 30, 20],
] as const;

/** How much of the colour, at most, is laid over the picture; without heat it is none. */
export const COVER = 0.65;
