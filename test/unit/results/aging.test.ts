/** The deletion of old results by a clock that the test sets, including jumps, in a real Durable Object. */
/// <reference types="@cloudflare/vitest-plugin/types" />

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Aging } from "../../../worker/results/aging.ts";
import type { NewResult } from "../../../worker/results/result.ts";
import { ResultStore } from "../../../worker/results/store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MAX_AGE = 30 * DAY;
const NOW = 1_800_000_000_000;

const result = (id: string): NewResult => ({
  id,
  time: "2026-11-24T12:00:00.000Z",
  device: null,
  model: "m",
  results: [],
  meta: {},
});

interface Kept {
  readonly store: ResultStore;
  readonly sql: SqlStorage;
  /** What a restart does. */
  restart(): Aging;
}

/** Runs `work` with rows that were stored at NOW. */
function withRows(ids: readonly string[], work: (kept: Kept) => void): Promise<void> {
  const stub = env.RESULTS.get(env.RESULTS.newUniqueId());
  return runInDurableObject(stub, (_, { storage: { sql } }) => {
    const store = new ResultStore(sql, { maxCount: 100 });
    for (const id of ids) store.put(result(id), NOW);
    work({ store, sql, restart: () => new Aging(sql, store, MAX_AGE) });
  });
}

const ids = (store: ResultStore) => store.list({ limit: 100, order: "oldest" }).map(({ id }) => id);

/** Looks every `step` from a time on, for a while. */
function watch(aging: Aging, from: number, { step = 10 * MINUTE, span = HOUR } = {}): number {
  let now = from;
  for (; now <= from + span; now += step) aging.look(now);
  return now - step;
}

it("deletes what was too old for an hour, and shows it until then", async () => {
  await withRows(["x"], ({ store, restart }) => {
    const aging = restart();
    store.put(result("y"), NOW + HOUR / 2);
    watch(aging, NOW + MAX_AGE - HOUR);
    expect(ids(store)).toEqual(["x", "y"]);
    const old = NOW + MAX_AGE + 1;
    watch(aging, old, { span: HOUR - 1 });
    expect(ids(store)).toEqual(["x", "y"]);
    aging.look(old + HOUR);
    expect(ids(store)).toEqual(["y"]);
    watch(aging, old + HOUR, { span: 2 * HOUR });
    expect(ids(store)).toEqual([]);
  });
});

it("keeps everything over a clock that jumps a month ahead and is put right within the hour", async () => {
  await withRows(["x", "y"], ({ store, restart }) => {
    const aging = restart();
    aging.look(NOW);
    const ahead = watch(aging, NOW + 60 * DAY, { span: 50 * MINUTE });
    expect(store.has("x")).toBe(true);
    aging.look(NOW + HOUR); // put right
    watch(aging, NOW + 60 * DAY, { span: 50 * MINUTE }); // and wrong again
    aging.look(NOW + 2 * HOUR);
    expect(ahead).toBeGreaterThan(NOW + MAX_AGE);
    expect(ids(store)).toEqual(["x", "y"]);
  });
});

it("does not take a jump between two looks for the hour", async () => {
  await withRows(["x"], ({ store, restart }) => {
    const aging = restart();
    for (let i = 0; i < 6; i++) aging.look(NOW + MAX_AGE + 1 + i * 365 * DAY);
    expect(ids(store)).toEqual(["x"]);
  });
});

it("adds the hour up over restarts, and a restart does not shorten it", async () => {
  await withRows(["x"], ({ store, restart }) => {
    const old = NOW + MAX_AGE + 1;
    for (let now = old; now < old + HOUR; now += 5 * MINUTE) restart().look(now);
    expect(ids(store)).toEqual(["x"]);
    restart().look(old + HOUR);
    expect(ids(store)).toEqual([]);
  });
});

it("looks no more often than once a minute for those who call often, but at once when the clock was put back", async () => {
  await withRows(["x"], ({ sql, restart }) => {
    const aging = restart();
    const seen = () => sql.exec<{ seen: number }>("SELECT seen FROM aging").toArray()[0]?.seen;
    const old = NOW + MAX_AGE + 1;
    aging.lookIfDue(old);
    aging.lookIfDue(old + MINUTE - 1);
    expect(seen()).toBe(old);
    aging.lookIfDue(old + MINUTE);
    expect(seen()).toBe(old + MINUTE);
    aging.lookIfDue(NOW);
    expect(seen()).toBeUndefined();
  });
});

it("says when it is to look: when the oldest row is too old, and then every ten minutes", async () => {
  await withRows(["x"], ({ restart }) => {
    const aging = restart();
    expect(aging.due(NOW)).toBe(NOW + MAX_AGE + MINUTE);
    aging.look(NOW + MAX_AGE + 1);
    expect(aging.due(NOW + MAX_AGE + 1)).toBe(NOW + MAX_AGE + 1 + 10 * MINUTE);
  });
  await withRows([], ({ restart }) => {
    expect(restart().due(NOW)).toBeUndefined();
  });
});

it("is looked after by the object's alarm", async () => {
  const stub = env.RESULTS.get(env.RESULTS.newUniqueId());
  await stub.put(result("x"));
  await stub.put(result("y"));
  await runInDurableObject(stub, async (_, { storage }) => {
    expect((((await storage.getAlarm()) ?? 0) - Date.now()) / DAY).toBeCloseTo(30, 0);
    storage.sql.exec("UPDATE results SET stored = 0 WHERE id = 'x'");
  });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await runInDurableObject(stub, async (_, { storage }) => {
    const [watch] = storage.sql.exec("SELECT horizon, elapsed FROM aging").toArray();
    expect(watch).toEqual({ horizon: 1, elapsed: 0 });
    const minutes = (((await storage.getAlarm()) ?? 0) - Date.now()) / MINUTE;
    expect(minutes).toBeGreaterThan(8);
    expect(minutes).toBeLessThan(11);
    storage.sql.exec("UPDATE aging SET elapsed = 3600000");
  });
  expect(await stub.get("x")).toMatchObject({ id: "x" }); // not before the next look
});
