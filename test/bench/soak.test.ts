/** The verdicts of `npm run soak` on its observations: a soak that cannot fail would prove nothing. */
import { describe, expect, it } from "vitest";
import { grows, type Sample, slopeOf } from "../../scripts/verify/soak/memory.ts";
import { Random } from "../../scripts/verify/soak/random.ts";
import { compareStored } from "../../scripts/verify/soak/stored.ts";
import type { StoredResult } from "../../worker/results/result.ts";

const row = (id: string, label: string): StoredResult => ({
  next: "r1",
  id,
  time: "2026-11-24T12:00:00.000Z",
  device: null,
  model: "m",
  label,
  confidence: 1,
  results: [],
  meta: {},
});

describe("what was acknowledged", () => {
  const acknowledged = new Map([
    ["a", "85:peacock"],
    ["b", "968:espresso"],
  ]);

  it("is there once, with its label; what was not acknowledged may be there, too", () => {
    const stored = [row("a", "85:peacock"), row("b", "968:espresso"), row("c", "85:peacock")];
    expect(compareStored(acknowledged, stored)).toEqual([]);
  });

  it("is missed where it is lost, doubled or another image's", () => {
    expect(compareStored(acknowledged, [row("a", "968:espresso"), row("a", "85:peacock")])).toEqual([
      "a is stored 2 times",
      "a is stored as 968:espresso and is 85:peacock",
      "b was acknowledged and is lost",
    ]);
  });
});

describe("memory", () => {
  /** Ten minutes, in the first two of which it rises by 50 MB, with noise of ±10 MB. */
  const samples = (perMinute: number): Sample[] => {
    const random = new Random(1);
    return Array.from({ length: 200 }, (_, i) => ({
      age: 3 * i,
      mb: Math.min(150, 100 + 1.25 * i) + (perMinute * 3 * i) / 60 + random.below(20),
    }));
  };
  const growth = (perMinute: number) => {
    const slope = slopeOf(samples(perMinute));
    if (slope === undefined) throw new Error("there is no slope");
    return slope;
  };

  it("that only varies behind its warm-up does not grow", () => {
    expect(grows(growth(0), 3)).toBe(false);
  });

  it("that grows by 5 MB a minute is found to", () => {
    expect(growth(5).perMinute).toBeCloseTo(5, 0);
    expect(grows(growth(5), 3)).toBe(true);
  });

  it("is not judged by a few samples", () => {
    expect(slopeOf(samples(0).slice(0, 5))).toBeUndefined();
  });
});
