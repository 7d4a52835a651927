/** When push targets are tried again, in a real Durable Object. */
/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Pusher, retryDelay } from "../../../worker/results/push.ts";
import { ResultStore } from "../../../worker/results/store.ts";

const NOW = 1_800_000_000_000;
const TARGET = "http://10.0.0.1:10081/labels";

const options = { targets: [TARGET], maxAge: 7 * 86_400_000 };

it("tries what waits again after a restart at once, and after a clock that was ahead when it was noted", async () => {
  await runInDurableObject(env.RESULTS.get(env.RESULTS.newUniqueId()), (_, { storage: { sql } }) => {
    const store = new ResultStore(sql, { maxCount: 100 });
    const pusher = new Pusher(sql, store, options);
    store.put({ id: "a", time: "2026-11-24T12:00:00.000Z", device: null, model: "m", results: [], meta: {} }, NOW);
    sql.exec("UPDATE push_targets SET failures = 9, retry_at = ?", NOW + 300_000);
    expect(pusher.start(NOW)).toEqual([]);
    expect(pusher.due(NOW)).toBe(NOW + 30_000); // to see whether there was a restart
    expect(pusher.due(NOW - 30 * 86_400_000)).toBe(NOW - 30 * 86_400_000);
    pusher.forgetBackoff();
    expect(pusher.due(NOW)).toBe(0);
  });
});

describe("the time between two tries", () => {
  const tries = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 1e9];
  const delays = (hasWorked: boolean) => tries.map((failures) => retryDelay(failures, hasWorked));

  it("begins with about a second and doubles", () => {
    for (const hasWorked of [true, false]) {
      const [first = 0, second = 0, third = 0] = delays(hasWorked);
      for (const [delay, least] of [
        [first, 1000],
        [second, 2000],
        [third, 4000],
      ] as const) {
        expect(delay).toBeGreaterThanOrEqual(least);
        expect(delay).toBeLessThanOrEqual(least * 1.2);
      }
    }
  });

  it("is at most 30 s for a target that once worked, and 5 minutes for one that never did", () => {
    expect(Math.max(...delays(true))).toBeLessThanOrEqual(30_000);
    expect(Math.max(...delays(false))).toBeLessThanOrEqual(300_000);
    expect(Math.min(...delays(true).slice(-4))).toBeGreaterThanOrEqual(25_000);
    expect(Math.min(...delays(false).slice(-2))).toBeGreaterThanOrEqual(250_000);
  });
});
