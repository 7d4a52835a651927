/** The evaluation of the measurements of `npm run bench:fair`. */
import { describe, expect, it } from "vitest";
import type { Load } from "../../scripts/bench/fair/loads.ts";
import type { Call } from "../../scripts/bench/fair/other-client.ts";
import { figuresOf, goalsOf, idleGoal, medianWait, type Round } from "../../scripts/bench/fair/report.ts";

const load: Load = { key: "a", title: "a form", isBulk: true, run: () => Promise.reject(new Error("is not run")) };

const calls = (small: number[], status = "200"): Call[] => [
  ...small.map((ms): Call => ({ kind: "small image", status, ms })),
  { kind: "eKuiper's call", status: "200", ms: 1400 },
  { kind: "probe", status: "200", ms: 99 },
];

const round = (small: number[], beside: number, status?: string): Round => ({
  calls: calls(small, status),
  beside: { statuses: ["200"], ms: beside },
  alone: { statuses: ["200"], ms: 1000 },
});

const missed = (...rounds: Round[]) =>
  goalsOf(figuresOf(load, rounds))
    .filter(({ pass }) => !pass)
    .map(({ goal, figure }) => `${goal}: ${figure}`);

describe("the median wait", () => {
  it("counts a call by its length, so that few calls that wait long are not outvoted by short ones", () => {
    expect(medianWait([100, 100, 100])).toBe(100);
    expect(medianWait([50, 50, 50, 4000])).toBe(4000);
    expect(medianWait([])).toBeNaN();
  });
});

describe("the goals", () => {
  it("are reached where everything is in time", () => {
    expect(missed(round([250, 260, 900], 2200))).toEqual(["a: small image, median at most 300 ms, all 200: 900 ms"]);
    expect(missed(round([250, 250, 260, 270, 900], 2200))).toEqual([]);
  });

  it("are those of the worst round", () => {
    const slow = round([250, 1001], 2300);
    expect(missed(round([250], 1100), slow, round([250], 1100))).toEqual([
      "a: small image, median at most 300 ms, all 200: 1001 ms",
      "a: small image, worst at most 1000 ms, all 200: 1001 ms",
      "a: the bulk takes at most 2.2 × its time alone: 2.30 ×",
    ]);
  });

  it("are missed by a refusal, however soon it comes", () => {
    expect(missed(round([5], 1100, "503"))).toEqual([
      "a: small image, median at most 300 ms, all 200: 5.0 ms; 1 × 503",
      "a: small image, worst at most 1000 ms, all 200: 5.0 ms; 1 × 503",
    ]);
  });

  it("are missed where a client that is alone waits for more than the processor", () => {
    expect(idleGoal([{ wall: 23, cpu: 22 }]).pass).toBe(true);
    expect(
      idleGoal([
        { wall: 23, cpu: 22 },
        { wall: 27.7, cpu: 22.5 },
      ]),
    ).toMatchObject({ pass: false, figure: "5.2 ms" });
  });
});
