/** The table of results in a real Durable Object: ids, cursors, and the limit on their number. */
/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { BOUNDS, cursor, type NewResult, parseCursor } from "../../../worker/results/result.ts";
import { ResultStore, type Retention } from "../../../worker/results/store.ts";

const NOW = 1_800_000_000_000;

const result = (id: string, more: Partial<NewResult> = {}): NewResult => ({
  id,
  time: "2026-11-24T12:00:00.000Z",
  device: null,
  model: "m",
  results: [
    { label: "a", confidence: 0.75 },
    { label: "b", confidence: 0.25 },
  ],
  meta: {},
  ...more,
});

/** Runs `work` with an empty store in an object of its own. */
function withStore(retention: Partial<Retention>, work: (store: ResultStore, sql: SqlStorage) => void): Promise<void> {
  const stub = env.RESULTS.get(env.RESULTS.newUniqueId());
  return runInDurableObject(stub, (_, { storage: { sql } }) => {
    work(new ResultStore(sql, { maxCount: 100, ...retention }), sql);
  });
}

const list = { limit: 100, order: "oldest" } as const;
const ids = (store: ResultStore) => store.list(list).map(({ id }) => id);

it("gives back what was put in, with the top-1 label on top", async () => {
  await withStore({}, (store) => {
    const given = result("x", { device: "d", meta: { line: "3" }, error: "half of it is missing" });
    expect(store.put(given, NOW)).toBe(true);
    expect(store.get("x")).toEqual({ ...given, next: "r1", label: "a", confidence: 0.75 });
    expect(store.get("y")).toBeUndefined();
  });
});

it("has the labels of each region by its name, as many as there is room for", async () => {
  await withStore({}, (store) => {
    const labels = Array.from({ length: 60 }, (_, i) => ({ label: `${i}`, confidence: 0 }));
    const regions = [
      { name: "right", labels },
      { name: "2", labels: labels.slice(0, 2) },
    ];
    store.put(result("x", { results: [], regions }), NOW);
    const found = store.get("x");
    expect(found).toMatchObject({ label: "", confidence: 0, results: [] });
    expect(found?.regions).toEqual({ right: labels.slice(0, 50), "2": labels.slice(0, 2) });
  });
});

it("keeps the first of an id", async () => {
  await withStore({}, (store) => {
    expect(store.put(result("x", { model: "first" }), NOW)).toBe(true);
    expect(store.put(result("x", { model: "second" }), NOW)).toBe(false);
    expect(store.list(list)).toMatchObject([{ model: "first" }]);
  });
});

it("gives a row no older a stamp than the row before, whatever the clock says", async () => {
  await withStore({}, (store) => {
    store.put(result("x"), NOW);
    store.put(result("y"), NOW - 86_400_000); // a machine without a battery has started
    store.put(result("z"), NOW + 1);
    expect([0, 1, 2].map((seq) => store.after(seq)?.stored)).toEqual([NOW, NOW, NOW + 1]);
  });
});

it("knows up to which row all are older than a time", async () => {
  await withStore({}, (store, sql) => {
    expect([store.oldest(), store.lastOlderThan(NOW)]).toEqual([undefined, 0]);
    for (const [i, id] of ["a", "b", "c", "d"].entries()) store.put(result(id), NOW + i);
    store.prune(1);
    expect(store.oldest()).toBe(NOW + 1);
    expect([0, 1, 2, 3, 4].map((i) => store.lastOlderThan(NOW + i))).toEqual([0, 0, 2, 3, 4]);
    sql.exec("UPDATE results SET stored = 0 WHERE id = 'd'"); // as a former release may have stored it
    expect(store.lastOlderThan(NOW + 2)).toBe(2);
  });
});

it("makes room for more than one when fewer are allowed than there are", async () => {
  await withStore({}, (store, sql) => {
    for (let i = 1; i <= 10; i++) store.put(result(`x${i}`, { device: "d" }), NOW);
    const fewer = new ResultStore(sql, { maxCount: 2 });
    fewer.put(result("y", { device: "e", error: "late" }), NOW);
    expect(fewer.list(list)).toMatchObject([{ id: "x10" }, { id: "y", device: "e", error: "late", next: "r11" }]);
    expect(fewer.has("x1")).toBe(false);
    const one = new ResultStore(sql, { maxCount: 1 });
    one.put(result("z"), NOW);
    expect(one.list(list)).toEqual([{ ...result("z"), next: "r12", label: "a", confidence: 0.75 }]);
    expect(one.list({ ...list, device: "e" })).toEqual([]);
  });
});

it("keeps the newest by count, and a cursor to a row that is gone still holds", async () => {
  await withStore({ maxCount: 3 }, (store) => {
    for (let i = 1; i <= 10; i++) store.put(result(`x${i}`), NOW);
    expect(ids(store)).toEqual(["x8", "x9", "x10"]);
    expect(store.list({ ...list, since: 2 })).toHaveLength(3);
    expect(store.list({ ...list, since: 8 }).map(({ id }) => id)).toEqual(["x9", "x10"]);
  });
});

it.each(["seq", "seq DESC"])(
  "never gives a row number twice, not even when all rows are gone, by %s",
  async (order) => {
    await withStore({}, (store, sql) => {
      store.put(result("x"), NOW);
      store.put(result("y"), NOW);
      for (const { seq } of sql.exec(`SELECT seq FROM results ORDER BY ${order}`).toArray()) {
        sql.exec("DELETE FROM results WHERE seq = ?", seq);
      }
      expect(ids(store)).toEqual([]);
      expect(store.last()).toBe(2);
      store.put(result("z"), NOW);
      expect(store.list({ ...list, since: 2 })).toMatchObject([{ id: "z", next: "r3" }]);
    });
  },
);

it("gives cursors that stay as they are above two million, and are read back", async () => {
  await withStore({}, (store, sql) => {
    store.put(result("x"), NOW);
    sql.exec("UPDATE row_numbers SET last = 2000000");
    store.put(result("y"), NOW);
    const [row] = store.list({ ...list, since: 1 });
    expect(row.next).toBe("r2000001");
    expect(JSON.parse(JSON.stringify(row)).next).toBe("r2000001");
    expect(store.list({ ...list, since: parseCursor(row.next) })).toEqual([]);
    expect(store.list({ ...list, since: 2000000 })).toHaveLength(1);
  });
});

it.each([
  ["0", 0],
  ["r0", 0],
  ["r17", 17],
  ["17", 17],
  [cursor(2_000_001), 2_000_001],
  ["2.000001e+06", undefined],
  ["-1", undefined],
  ["", undefined],
  ["r", undefined],
  ["r99999999999999999999", undefined],
])("reads the cursor %j as %s", (text, seq) => {
  expect(parseCursor(text)).toBe(seq);
});

it("bounds a row", async () => {
  await withStore({}, (store) => {
    const results = Array.from({ length: 1001 }, (_, i) => ({ label: `c${i}`, confidence: 1 / (i + 1) }));
    store.put(result("x", { results, error: "e".repeat(10_000) }), NOW);
    const found = store.get("x");
    expect(found?.results).toEqual(results.slice(0, BOUNDS.labels));
    expect(found?.error).toHaveLength(BOUNDS.error);
  });
});

it("finds a page of a device among many rows by an index", async () => {
  await withStore({ maxCount: 10_000 }, (store, sql) => {
    for (let i = 0; i < 2000; i++) store.put(result(`x${i}`, { device: i % 500 === 0 ? "rare" : "often" }), NOW);
    const query = "SELECT * FROM results WHERE seq > 0 AND seq < 9 AND device = 'rare' ORDER BY seq LIMIT 9";
    const plan = sql.exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`).toArray();
    // Without a B-tree to sort in.
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringMatching(/^SEARCH .* results_by_device/)]);
    expect(store.list({ ...list, device: "rare" }).map(({ id }) => id)).toEqual(["x0", "x500", "x1000", "x1500"]);
  });
});

it("erases what is selected part by part, and gives no row the number of an erased one", async () => {
  await withStore({ maxCount: 1000 }, (store) => {
    for (let i = 1; i <= 9; i++) {
      const time = `2026-11-2${i}T12:00:00.000Z`;
      store.put(result(`x${i}`, { device: i % 2 === 0 ? "even" : "odd", time }), NOW);
    }
    expect(store.erase({ device: "odd" }, 0, 2)).toEqual([1, 3]);
    expect(store.erase({ device: "odd" }, 3, 2)).toEqual([5, 7]);
    expect(ids(store)).toEqual(["x2", "x4", "x6", "x8", "x9"]);
    expect(store.erase({ takenBefore: "2026-11-24T12:00:00.000Z" }, 0, 10)).toEqual([2]);
    expect(store.erase({ before: 6 }, 0, 10)).toEqual([4]);
    expect(store.erase({ id: "x9" }, 0, 10)).toEqual([9]);
    expect(store.erase({ id: "x9" }, 0, 10)).toEqual([]);
    expect(ids(store)).toEqual(["x6", "x8"]);
    store.put(result("x9"), NOW);
    expect(store.get("x9")?.next).toBe("r10");
    expect(store.last()).toBe(10);
  });
});
