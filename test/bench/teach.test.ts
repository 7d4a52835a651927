/** The arithmetic of `npm run bench:teach` compared with numpy's, and the sets that it takes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { drawsOf, SIZES } from "../../scripts/bench/teach/draws.ts";
import { NumpyRandom } from "../../scripts/bench/teach/numpy-random.ts";
import { teachProbe } from "../../scripts/bench/teach/probe.ts";
import { sceneRows, speedRow } from "../../scripts/bench/teach/report.ts";
import { listSet, setsIn } from "../../scripts/bench/teach/sets.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

it("draws what numpy 2.4.6 draws: default_rng(1).choice(n, k, replace=False) for each n and k", () => {
  const random = new NumpyRandom(1);
  expect(random.choose(upTo(100), 5)).toEqual([49, 3, 74, 94, 45]);
  expect(random.choose(upTo(122), 10)).toEqual([10, 48, 66, 99, 96, 31, 30, 118, 77, 35]);
  expect(random.choose(upTo(80), 20)).toEqual([
    62, 21, 25, 8, 7, 35, 27, 14, 71, 55, 37, 78, 29, 38, 68, 63, 1, 18, 9, 4,
  ]);
  expect(random.choose(upTo(121), 1)).toEqual([93]);
});

it("the plain probe tells apart what a plane separates, of two and of three classes", () => {
  const at = (x: number, y: number) => Float64Array.of(x, y, 1);
  const photos = [at(0, 0), at(0, 1), at(5, 0), at(5, 1), at(0, 9), at(1, 9)];
  const two = teachProbe(photos.slice(0, 4), [0, 0, 1, 1], 2);
  expect([at(1, 0), at(4, 1)].map(two)).toEqual([0, 1]);
  const three = teachProbe(photos, [0, 0, 1, 1, 2, 2], 3);
  expect([at(0.5, 0.5), at(5, 2), at(0, 8)].map(three)).toEqual([0, 1, 2]);
});

describe("sets of photos", () => {
  const root = mkdtempSync(join(tmpdir(), "edge-labeler-sets-"));
  afterAll(() => rmSync(root, { recursive: true }));

  function put(...files: string[]): void {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), "");
    }
  }

  it("are folders of any names and formats, of which only what is in val is never taught", async () => {
    put("odd names/class one/a photo.JPG", "odd names/class one/b.webp", "odd names/klasse 2/c.png");
    put("held/train/x/1.jpg", "held/val/x/2.jpg", "held/train/val/3.jpg", ".hidden/x/1.jpg", "ants-bees/a/1.jpg");
    expect((await setsIn(root)).map((path) => basename(path))).toEqual(["ants-bees", "held", "odd names"]);
    expect(await listSet(join(root, "odd names"))).toMatchObject({
      name: "odd names",
      labels: ["class one", "klasse 2"],
      photos: [{ class: 0 }, { class: 0 }, { class: 1 }],
    });
    // A class may be called val: only the folder above the classes counts.
    const held = await listSet(join(root, "held"));
    expect(held).toMatchObject({ labels: ["val", "x"], photos: [{ held: false }, { held: false }, { held: true }] });
    expect(await listSet(join(root, "ants-bees"))).toMatch(/is left out: it has 1 folders of photos/);
  });

  it("have no draws of sizes for which a class has too few photos", () => {
    const photos = (count: number, held: number) =>
      [0, 1].flatMap((index) => Array.from({ length: count }, (_, i) => ({ class: index, held: i < held })));
    const counts = (...args: [number, number]) =>
      SIZES.map((size) => drawsOf(photos(...args), 2, size, new NumpyRandom(1)).length);
    expect(counts(12, 0)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(counts(31, 0)).toEqual([20, 20, 20, 0, 0, 0]);
    // With val all others may be taught.
    expect(counts(16, 10)).toEqual([20, 20, 0, 0, 0, 0]);
  });
});

it("goals of a fixed camera and of costs are passed at their limits and failed beyond them", () => {
  const scenes = (whole: number) => sceneRows({ "whole frame": [whole, 1], region: [1, 1] });
  expect(scenes(0.98).map(({ failed }) => failed)).toEqual([false, false]);
  expect(scenes(0.97)[0]).toMatchObject({ failed: true, cells: ["whole frame", expect.any(String), "0.970"] });
  const row = (value: number) => speedRow({ what: "a prediction", value, unit: "ms", most: 2 });
  expect(row(2)).toEqual({ cells: ["a prediction", "2.00 ms", "pass: ≤ 2 ms"], failed: false });
  expect(row(2.1)).toMatchObject({ failed: true, cells: ["a prediction", "2.10 ms", "FAIL: ≤ 2 ms"] });
  expect(row(Number.NaN).failed).toBe(true);
});
