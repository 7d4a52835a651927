/** Token buckets (worker/runtime/token-bucket.ts), on a clock of the test's own. */
import { expect, it } from "vitest";
import { parseRateLimit, TokenBuckets } from "../../../worker/runtime/token-bucket.ts";

it("a limit is read with its unit and its burst", () => {
  expect(parseRateLimit("20/s")).toEqual({ perSecond: 20, burst: 20 });
  expect(parseRateLimit("120/m")).toEqual({ perSecond: 2, burst: 120 });
  expect(parseRateLimit("36/h burst 5")).toEqual({ perSecond: 0.01, burst: 5 });
  for (const text of ["", "20", "20/d", "-1/s", "0/s", "1.5/s", "20/s burst 0"])
    expect(parseRateLimit(text)).toBeUndefined();
});

it("as many at once as the burst, then one whenever it has filled by one", () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 3 });
  expect([0, 0, 0, 0].map((now) => buckets.take("a", now))).toEqual([0, 0, 0, 1]);
  expect(buckets.take("a", 499)).toBe(1);
  expect(buckets.take("a", 500)).toBe(0);
  expect(buckets.take("a", 501)).toBe(1);
  expect([60_000, 60_000, 60_000, 60_000].map((now) => buckets.take("a", now))).toEqual([0, 0, 0, 1]);
});

it("says in how many seconds there will be one: and then there is", () => {
  const buckets = new TokenBuckets({ perSecond: 1 / 60, burst: 1 });
  buckets.take("a", 0);
  const wait = buckets.take("a", 1000);
  expect(wait).toBe(59);
  expect(buckets.take("a", 1000 + 1000 * wait)).toBe(0);
});

it("callers do not share a bucket, and a clock that stands still or goes back takes nothing away", () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
  expect([buckets.take("a", 5000), buckets.take("b", 5000), buckets.take("a", 4000)]).toEqual([0, 0, 1]);
  expect(buckets.take("a", 6000)).toBe(0);
});

it("keeps so many buckets, and forgets the one that was used longest ago", () => {
  const buckets = new TokenBuckets({ perSecond: 0.001, burst: 1 }, 3);
  for (const key of ["a", "b", "c"]) buckets.take(key, 0);
  expect(buckets.take("a", 0)).toBeGreaterThan(0);
  expect(buckets.take("d", 0)).toBe(0); // in the place of b
  expect(buckets.size).toBe(3);
  expect(buckets.take("a", 0)).toBeGreaterThan(0);
  expect(buckets.take("b", 0)).toBe(0);
});
