/** Random numbers that come again with the same seed (mulberry32). */
export interface Random {
  /** A whole number from 0 to n - 1. */
  below(n: number): number;
  /** Any one of several. */
  any<T>(values: readonly T[]): T;
  /** A whole number from 1 to n whose order of magnitude is random. */
  magnitude(n: number): number;
}

export function random(seed: number): Random {
  let state = seed;
  const unit = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(unit() * n);
  return {
    below,
    any: (values) => values[below(values.length)] as (typeof values)[number],
    magnitude: (n) => Math.max(1, Math.floor(n ** unit())),
  };
}
