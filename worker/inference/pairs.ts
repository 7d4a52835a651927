/** [a, b, c, d, …] → [[a, b], [c, d], …]: the padding before and after each axis. */
export const pairsOf = (flat: readonly number[]): [before: number, after: number][] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
