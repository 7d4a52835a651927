/** Teaching against numpy, which computed the same recipe in scripts/fixtures/teaching.py. */
import { beforeAll, describe, expect, it } from "vitest";
import { FEATURE_NAMES, type Features } from "../../../worker/teaching/features.ts";
import { partsOf, selfLikeness } from "../../../worker/teaching/kernel.ts";
import { teachNovelty } from "../../../worker/teaching/novelty.ts";
import { type Task, teachRidge } from "../../../worker/teaching/ridge.ts";
import { layoutOf, type Sample, sampleOf } from "../../../worker/teaching/sample.ts";
import { type BaseStatistics, computeStatistics } from "../../../worker/teaching/statistics.ts";
import { fixtureJson } from "../files.ts";
import { plainLikeness, plainMatrix } from "./plain-likeness.ts";

type Row = { readonly [name in (typeof FEATURE_NAMES)[number]]: readonly number[] };

interface Case {
  readonly classes: readonly number[];
  readonly taught: readonly Row[];
  readonly asked: readonly Row[];
  readonly probabilities: readonly (readonly number[])[];
  readonly novelty: readonly number[];
  readonly threshold: number;
  readonly strength: number;
  readonly temperature: number;
  readonly leftOut: readonly (readonly number[])[];
}

let golden: { readonly background: readonly Row[]; readonly cases: readonly Case[] };
let statistics: BaseStatistics;

const featuresOf = (row: Row): Features =>
  Object.fromEntries(FEATURE_NAMES.map((name) => [name, Float32Array.from(row[name])])) as unknown as Features;

beforeAll(async () => {
  golden = await fixtureJson("teaching/recipe.json");
  statistics = computeStatistics(golden.background.map(featuresOf));
});

const samplesOf = (rows: readonly Row[]): Sample[] => rows.map((row) => sampleOf(featuresOf(row), statistics));

function taskOf({ classes, taught }: Case): Task {
  const layout = layoutOf(featuresOf(taught[0]));
  const groups = classes.map((_, i) => [i]);
  return { likeness: plainMatrix(samplesOf(taught), layout), classes, classCount: Math.max(...classes) + 1, groups };
}

const close = (found: ArrayLike<number>, expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i] - value)).toBeLessThan(1e-4);
};

describe.each([
  ["unequal classes", 0],
  ["one photo a class", 1],
  ["a small class beside a large one", 2],
] as const)("%s", (_, index) => {
  it("probabilities of other photos are those of numpy", () => {
    const golds = golden.cases[index];
    const task = taskOf(golds);
    const ridge = teachRidge(task);
    expect(ridge.strength).toBe(golds.strength);
    expect(ridge.temperature).toBeCloseTo(golds.temperature, 6);
    const parts = partsOf(layoutOf(featuresOf(golds.taught[0])));
    const taught = samplesOf(golds.taught);
    for (const [i, asked] of samplesOf(golds.asked).entries()) {
      const scores = ridge.bias.map((bias, c) =>
        taught.reduce(
          (sum, one, j) => sum + plainLikeness(asked, one, parts) * ridge.weights[j * task.classCount + c],
          bias,
        ),
      );
      const powers = scores.map((score) => Math.exp(score * ridge.temperature));
      close(
        powers.map((power) => power / powers.reduce((a, b) => a + b)),
        golds.probabilities[i],
      );
    }
  });

  it("scores of photos that are left out are those of numpy", () => {
    close(teachRidge(taskOf(golden.cases[index])).leftOut, golden.cases[index].leftOut.flat());
  });
});

it("novelty and its threshold are those of numpy", () => {
  for (const golds of [golden.cases[0], golden.cases[2]]) {
    const task = taskOf(golds);
    const layout = layoutOf(featuresOf(golds.taught[0]));
    const self = selfLikeness(layout);
    const novelty = teachNovelty(task, self);
    if (novelty === undefined) throw new Error("there are enough photos");
    expect(novelty.threshold).toBeCloseTo(golds.threshold, 5);
    const taught = samplesOf(golds.taught);
    const found = samplesOf(golds.asked).map((asked) => {
      const k = taught.map((one) => plainLikeness(asked, one, partsOf(layout)));
      const y = k.map((__, i) => k.reduce((sum, value, j) => sum + novelty.triangle[i * k.length + j] * value, 0));
      return (self - y.reduce((sum, value) => sum + value * value, 0)) / self;
    });
    close(found, golds.novelty);
  }
});

it("novelty is not known with fewer than three photos of a class", () => {
  expect(teachNovelty(taskOf(golden.cases[1]), 2.25)).toBeUndefined();
});

describe("photos of one shot", () => {
  /** What a head scores that was taught without some photos, in the plainest way. */
  function withoutThem(
    { likeness: whole, classes, classCount }: Task,
    left: readonly number[],
    strength: number,
  ): number[][] {
    const count = classes.length;
    const kept = classes.flatMap((_, i) => (left.includes(i) ? [] : [i]));
    // Ridge regression with a free intercept, by steepest descent's closed form: (K + λI) a + 1b = R, 1ᵀa = 0.
    return left.map((asked) =>
      Array.from({ length: classCount }, (_, c) => {
        const rows = kept.map((i) => [
          ...kept.map((j) => whole[i * count + j] + (i === j ? strength : 0)),
          1,
          Number(classes[i] === c),
        ]);
        rows.push([...kept.map(() => 1), 0, 0]);
        const solved = solve(rows);
        return kept.reduce((sum, j, at) => sum + solved[at] * whole[asked * count + j], solved[kept.length]);
      }),
    );
  }

  /** Gaussian elimination with pivots; the last column is the right side. */
  function solve(rows: number[][]): number[] {
    const size = rows.length;
    for (let c = 0; c < size; c++) {
      const pivot = rows.reduce((best, row, r) => (r >= c && Math.abs(row[c]) > Math.abs(rows[best][c]) ? r : best), c);
      [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
      for (let r = 0; r < size; r++) {
        if (r === c) continue;
        const factor = rows[r][c] / rows[c][c];
        for (let k = c; k <= size; k++) rows[r][k] -= factor * rows[c][k];
      }
    }
    return rows.map((row, r) => row[size] / row[r]);
  }

  it("are left out together, exactly as if none of them had been taught", () => {
    const task = taskOf(golden.cases[0]);
    const groups = [[0, 1, 2], [3], [4, 5], ...Array.from({ length: 14 }, (_, i) => [i + 6])];
    const { leftOut, strength } = teachRidge({ ...task, groups });
    for (const group of groups) {
      const expected = withoutThem(task, group, strength);
      for (const [at, i] of group.entries()) close(leftOut.subarray(i * 3, i * 3 + 3), expected[at]);
    }
  });
});
