/** How npm run soak judges what it has seen: a soak that cannot fail would prove nothing. */
import { describe, expect, it } from "vitest";
import { grows, type Sample, slopeOf } from "../../scripts/soak/memory.ts";
import { Random } from "../../scripts/soak/random.ts";
import { compareStored } from "../../scripts/soak/stored.ts";
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
  /** Ten lives of a minute, with noise of ±10 MB. */
  const samples = (perMinute: number): Sample[] => {
    const random = new Random(1);
    return Array.from({ length: 600 }, (_, second) => ({
      life: Math.floor(second / 60),
      age: second % 60,
      mb: 150 + 5 * Math.floor(second / 60) + (perMinute * (second % 60)) / 60 + random.below(20),
    }));
  };

  it("that only varies does not grow, however much the levels of the lives differ", () => {
    const slope = slopeOf(samples(0));
    expect(slope).toBeDefined();
    expect(slope && grows(slope)).toBe(false);
  });

  it("that grows by 30 MB a minute is found to", () => {
    const slope = slopeOf(samples(30));
    expect(slope?.perMinute).toBeGreaterThan(25);
    expect(slope && grows(slope)).toBe(true);
  });

  it("is not judged by the first seconds of a process", () => {
    expect(slopeOf(samples(0).map((sample) => ({ ...sample, age: sample.age / 4 })))).toBeUndefined();
  });
});
