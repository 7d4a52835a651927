/**
 * The colours of a heat map, which the page's legend shows too. It imports nothing, since the page loads it as well.
 */

/** The colours of zero, medium and full heat: red, green and blue, 0..255. Values in between are interpolated. */
export const COLOURS = [
  [48, 18, 200],
  [30, 160, 230],
  [90, 220, 90],
  [250, 200, 40],
  [220, 30, 20],
] as const;

/** The largest opacity of the colour over the picture; it is 0 where there is no heat. */
export const COVER = 0.65;
