/** Random choices that come again with the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)];
  }

  /** One of several, each as often as its weight says. */
  weighted<T extends { readonly weight: number }>(all: readonly T[]): T {
    let left = this.below(all.reduce((sum, { weight }) => sum + weight, 0));
    for (const one of all) {
      left -= one.weight;
      if (left < 0) return one;
    }
    throw new Error("there is nothing to choose from");
  }

  /** For a client of its own. */
  fork(): Random {
    return new Random(this.below(2 ** 31));
  }
}
