/** Which photos count as one shot. */
import { expect, it } from "vitest";
import { groupShots } from "../../../worker/teaching/shots.ts";

/** Photos as points on a line: how alike two are falls with their distance. */
function grouped(points: readonly number[], classes: readonly number[]): number[][] {
  const likeness = points.flatMap((a) => points.map((b) => 2 * Math.exp(-Math.abs(a - b))));
  return groupShots(Float64Array.from(likeness), classes, 2);
}

it("frames of a burst and copies count as one", () => {
  expect(grouped([0, 1, 1.001, 2, 2.01, 2.02, 3], [0, 0, 0, 0, 0, 0, 0])).toEqual([[0], [1, 2], [3, 4, 5], [6]]);
});

it("photos of two classes never do, even if they are the same", () => {
  expect(grouped([0, 1, 1, 2], [0, 0, 1, 1])).toEqual([[0], [1], [2], [3]]);
});

it("photos of a fixed camera, all of which are alike, do not", () => {
  const points = [0, 0.004, 0.009, 0.013, 0.018];
  expect(grouped([...points, ...points.map((at) => 5 + at)], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])).toHaveLength(10);
  expect(grouped([0, 0.001], [0, 0])).toHaveLength(2);
});
