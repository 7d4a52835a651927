/** Token buckets in memory: how many requests each caller may make. Knows nothing of requests; the clock is an argument. */

export interface CallRate {
  /** How fast a bucket fills, in requests per second. */
  readonly perSecond: number;
  /** How many requests a full bucket is good for. */
  readonly burst: number;
}

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/**
 * "20/s", "100/m" or "1000/h": as many at once, and as many per second, minute or hour. "20/s burst 100" lets more come at once.
 *
 * @returns Undefined if it is none of these.
 */
export function parseRateLimit(text: string): CallRate | undefined {
  const [, count, unit, burst] = /^([1-9]\d*)\/([smh])(?: burst ([1-9]\d*))?$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  return { perSecond: Number(count) / SECONDS[unit as keyof typeof SECONDS], burst: Number(burst ?? count) };
}

interface Bucket {
  tokens: number;
  /** When that was so, in milliseconds. */
  time: number;
}

/** Whoever was not seen for longest is forgotten first: a bucket has filled by then. */
const MAX_BUCKETS = 10_000;

export class TokenBuckets {
  readonly #limit: CallRate;
  readonly #capacity: number;
  /** The one that was used longest ago first. */
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
   * @returns 0 if there was one, else in how many seconds there will be: a whole number, at least 1.
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
