/** Random numbers that a seed determines. */
import { mulberry32 } from "../../../scripts/measure/mulberry32.ts";

export interface Random {
  /** An integer from 0 to n − 1. */
  below(n: number): number;
  /** Any one of several. */
  any<T>(values: readonly T[]): T;
  /** An integer from 1 to n whose order of magnitude is random. */
  magnitude(n: number): number;
}

export function random(seed: number): Random {
  const next = mulberry32(seed);
  const unit = () => next() / 2 ** 32;
  const below = (n: number) => Math.floor(unit() * n);
  return {
    below,
    any: (values) => values[below(values.length)] as (typeof values)[number],
    magnitude: (n) => Math.max(1, Math.floor(n ** unit())),
  };
}
