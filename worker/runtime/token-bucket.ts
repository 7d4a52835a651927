/** Token buckets in memory: how many requests each caller may make. The caller passes keys and the time. */

export interface CallRate {
  /** How fast a bucket fills, in requests per second. */
  readonly perSecond: number;
  /** How many requests a full bucket is good for. */
  readonly burst: number;
}

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/**
 * Parses "20/s", "100/m" or "1000/h": this many at once, and this many per second, minute or hour. "20/s burst 100"
 * allows more at once.
 *
 * @returns Undefined for any other text.
 */
export function parseRateLimit(text: string): CallRate | undefined {
  const [, count, unit, burst] = /^([1-9]\d*)\/([smh])(?: burst ([1-9]\d*))?$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  return { perSecond: Number(count) / SECONDS[unit as keyof typeof SECONDS], burst: Number(burst ?? count) };
}

interface Bucket {
  tokens: number;
  /** The time of that level, in milliseconds. */
  time: number;
}

/** The largest number of buckets. The least recently used one is dropped first: it has filled up by then. */
const MAX_BUCKETS = 10_000;

export class TokenBuckets {
  readonly #limit: CallRate;
  readonly #capacity: number;
  /** Buckets by key, the least recently used one first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: CallRate, capacity = MAX_BUCKETS) {
    this.#limit = limit;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes a token.
   *
   * @param now In milliseconds.
   * @returns 0 if there was one, else the number of seconds until there is: a whole number, at least 1.
   */
  take(key: string, now: number): number {
    const { perSecond, burst } = this.#limit;
    const { tokens, time } = this.#buckets.get(key) ?? { tokens: burst, time: now };
    const filled = Math.min(burst, tokens + (Math.max(0, now - time) / 1000) * perSecond);
    this.#buckets.delete(key);
    for (const [oldest] of this.#buckets) {
      if (this.#buckets.size < this.#capacity) break;
      this.#buckets.delete(oldest);
    }
    const enough = filled >= 1;
    this.#buckets.set(key, { tokens: enough ? filled - 1 : filled, time: now });
    return enough ? 0 : Math.max(1, Math.ceil((1 - filled) / perSecond));
  }
}
