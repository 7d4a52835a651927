/** Random choices that a seed determines. */
import { mulberry32 } from "../../measure/mulberry32.ts";

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }

  /** An integer from 0 to n − 1. */
  below(n: number): number {
    return this.#next() % n;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)];
  }

  /** One of several, with probabilities proportional to their weights. */
  weighted<T extends { readonly weight: number }>(all: readonly T[]): T {
    let left = this.below(all.reduce((sum, { weight }) => sum + weight, 0));
    for (const one of all) {
      left -= one.weight;
      if (left < 0) return one;
    }
    throw new Error("there is nothing to choose from");
  }

  /** Another generator, for another client. */
  fork(): Random {
    return new Random(this.below(2 ** 31));
  }
}
