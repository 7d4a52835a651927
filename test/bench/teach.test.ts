/** The arithmetic of `npm run bench:teach` compared with numpy's. */
import { expect, it } from "vitest";
import { NumpyRandom } from "../../scripts/bench/teach/numpy-random.ts";
import { teachProbe } from "../../scripts/bench/teach/probe.ts";

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
