/** The shares of several workers in what the labeler limits. */
import { expect, it } from "vitest";
import { shareOf } from "../../../worker/http/other-workers.ts";
import type { Bindings } from "../../../worker/settings/settings.ts";

const share = (worker: string | undefined, total: number) => shareOf({ WORKER: worker } as Bindings, total);

it.each([
  [8, 1, [8]],
  [8, 2, [4, 4]],
  [8, 3, [3, 3, 2]],
  [2, 3, [1, 1, 0]],
  [65, 4, [17, 16, 16, 16]],
])("divides %i among %i workers without a rest", (total, of, shares) => {
  expect(Array.from({ length: of }, (_, i) => share(`${i + 1}/${of}`, total))).toEqual(shares);
});

it("has all where there are no other workers", () => {
  expect(share(undefined, 8)).toBe(8);
});
