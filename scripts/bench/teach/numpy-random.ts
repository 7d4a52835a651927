/**
 * The random numbers of numpy's default_rng() (PCG64 with SeedSequence), and its choice() without replacement: draws of
 * photos that are the same as in experiments in Python, with whose figures ours are compared.
 */

const MASK32 = 0xffffffffn;
const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** The state that numpy's SeedSequence makes of a small seed: eight words of 32 bits. */
function seedWords(seed: number): bigint[] {
  let constant = 0x43b0d7e5n;
  const hash = (value: bigint): bigint => {
    let mixed = value ^ constant;
    constant = (constant * 0x931e8875n) & MASK32;
    mixed = (mixed * constant) & MASK32;
    return mixed ^ (mixed >> 16n);
  };
  const mix = (x: bigint, y: bigint): bigint => {
    const result = (x * 0xca01f9ddn - y * 0x4973f715n) & MASK32;
    return result ^ (result >> 16n);
  };
  const pool = [BigInt(seed), 0n, 0n, 0n].map(hash);
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to] ?? 0n, hash(pool[from] ?? 0n));
  let other = 0x8b51f9ddn;
  return Array.from({ length: 8 }, (_, i) => {
    let word = (pool[i % 4] ?? 0n) ^ other;
    other = (other * 0x58f38dedn) & MASK32;
    word = (word * other) & MASK32;
    return word ^ (word >> 16n);
  });
}

export class NumpyRandom {
  #state = 0n;
  readonly #increment: bigint;
  /** The upper half of the last 64 bits, if it was not used yet. */
  #half: bigint | undefined;

  /** @param seed Below 2^32. */
  constructor(seed: number) {
    const words = seedWords(seed);
    const pair = (i: number) => (words[i] ?? 0n) | ((words[i + 1] ?? 0n) << 32n);
    const [initial, sequence] = [(pair(0) << 64n) | pair(2), (pair(4) << 64n) | pair(6)];
    this.#increment = ((sequence << 1n) | 1n) & MASK128;
    this.#step();
    this.#state = (this.#state + initial) & MASK128;
    this.#step();
  }

  #step(): void {
    this.#state = (this.#state * MULTIPLIER + this.#increment) & MASK128;
  }

  #next64(): bigint {
    this.#step();
    const value = (this.#state >> 64n) ^ (this.#state & MASK64);
    const turn = this.#state >> 122n;
    return ((value >> turn) | (value << (64n - turn))) & MASK64;
  }

  #next32(): bigint {
    if (this.#half !== undefined) {
      const half = this.#half;
      this.#half = undefined;
      return half;
    }
    const next = this.#next64();
    this.#half = next >> 32n;
    return next & MASK32;
  }

  /** A whole number from 0 to `most`, by Lemire's method. */
  #upTo(most: number): number {
    if (most === 0) return 0;
    const range = BigInt(most) + 1n;
    let product = this.#next32() * range;
    const threshold = (MASK32 - BigInt(most)) % range;
    while ((product & MASK32) < threshold) product = this.#next32() * range;
    return Number(product >> 32n);
  }

  /** As rng.choice(population, size, replace=False) of up to 10,000: Floyd's algorithm, and a shuffle. */
  choose<T>(population: readonly T[], size: number): T[] {
    const chosen: number[] = [];
    const taken = new Set<number>();
    for (let last = population.length - size; last < population.length; last++) {
      const value = this.#upTo(last);
      const next = taken.has(value) ? last : value;
      taken.add(next);
      chosen.push(next);
    }
    for (let i = size - 1; i > 0; i--) {
      const j = this.#upTo(i);
      [chosen[i], chosen[j]] = [chosen[j] ?? 0, chosen[i] ?? 0];
    }
    return chosen.map((index) => population[index] as T);
  }
}
