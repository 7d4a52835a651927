/** The tables as former and newer releases have left them, in a real Durable Object. */
/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Pusher } from "../../../worker/results/push.ts";
import { openTables } from "../../../worker/results/schema.ts";
import { ResultStore } from "../../../worker/results/store.ts";

const TARGET = "http://10.0.0.1:10081/labels";
const LAST = 7;

/** The tables of the first release, at the commit 58426e7, with two rows of numbers 5 and 6 and a deleted one after them. */
const FIRST = `
  CREATE TABLE results (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    time TEXT NOT NULL,
    device TEXT,
    model TEXT NOT NULL,
    results TEXT NOT NULL,
    error TEXT,
    meta TEXT NOT NULL,
    stored INTEGER NOT NULL
  );
  CREATE INDEX results_by_device ON results (device, seq);
  CREATE INDEX results_by_age ON results (stored);
  CREATE TABLE push_targets (
    url TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    given_up INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
  );
  INSERT INTO results VALUES (5, 'a', '2026-11-24T12:00:00.000Z', 'd', 'm', '[{"label":"x","confidence":0.5}]', NULL, '{"line":"3"}', 1000);
  INSERT INTO results VALUES (6, 'b', '2026-11-24T12:00:01.000Z', NULL, 'm', '[]', 'broken', '{}', 2000);
  INSERT INTO results VALUES (${LAST}, 'c', '2026-11-24T12:00:02.000Z', NULL, 'm', '[]', NULL, '{}', 3000);
  DELETE FROM results WHERE seq = ${LAST};
  INSERT INTO push_targets VALUES ('${TARGET}', 5, 4, 1, 5, 3000, 'answered with status 503');
`;

/** Between the first release and tables with a version. */
const LATER = `${FIRST}
  DROP INDEX results_by_age;
  ALTER TABLE results ADD COLUMN regions TEXT;
  ALTER TABLE push_targets ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
  UPDATE results SET regions = '[["left",[]]]' WHERE id = 'b';
`;

const DROP = ["results", "row_numbers", "push_targets", "aging", "schema_version"].map((name) => `DROP TABLE ${name};`);

/** Runs `work` in an object that has these tables alone. */
function withTables(tables: string, work: (storage: DurableObjectStorage) => void): Promise<void> {
  return runInDurableObject(env.RESULTS.get(env.RESULTS.newUniqueId()), (_, { storage }) => {
    storage.sql.exec(DROP.join("\n"));
    storage.sql.exec(tables);
    work(storage);
  });
}

const structure = ({ sql }: DurableObjectStorage) =>
  sql.exec("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name").toArray();

it.each([
  ["the first release", FIRST, undefined],
  ["a later one", LATER, { left: [] }],
])("takes over all rows of %s, with their numbers, and goes on where it was", async (_, tables, regions) => {
  await withTables(tables, (storage) => {
    openTables(storage);
    const store = new ResultStore(storage.sql, { maxCount: 100 });
    const rows = store.list({ limit: 10, order: "oldest" });
    expect(rows).toMatchObject([
      { next: "r5", id: "a", device: "d", label: "x", confidence: 0.5, meta: { line: "3" } },
      { next: "r6", id: "b", device: null, label: "", error: "broken" },
    ]);
    expect(rows[1]?.regions).toEqual(regions);
    expect(store.list({ limit: 10, order: "oldest", device: "d" })).toEqual([rows[0]]);
    expect([store.oldest(), store.last()]).toEqual([1000, LAST]);
    store.put({ id: "d", time: "2026-11-24T12:00:03.000Z", device: null, model: "m", results: [], meta: {} }, 4000);
    expect(store.get("d")?.next).toBe(`r${LAST + 1}`);
    const pusher = new Pusher(storage.sql, store, { targets: [TARGET], maxAge: 1 });
    expect(pusher.status()).toMatchObject([{ delivered: 4, givenUp: 1, failures: 5, waiting: LAST + 1 - 5 }]);
    openTables(storage); // once is enough
    expect(store.last()).toBe(LAST + 1);
  });
});

it("leaves the same tables as are made anew", async () => {
  let made: unknown;
  await withTables("SELECT 1", (storage) => {
    openTables(storage);
    made = structure(storage);
  });
  // A column that was added is written at the end of its table.
  await withTables(LATER, (storage) => {
    openTables(storage);
    const names = (rows: unknown) => (rows as { name: string }[]).map(({ name }) => name);
    expect(names(structure(storage)).filter((name) => name !== "sqlite_sequence")).toEqual(names(made));
    expect(structure(storage)).toEqual(
      expect.arrayContaining((made as { name: string }[]).filter(({ name }) => name !== "push_targets")),
    );
  });
});

it("changes nothing if a former table cannot be taken over", async () => {
  await withTables(FIRST, (storage) => {
    storage.sql.exec("UPDATE results SET stored = stored; ALTER TABLE results DROP COLUMN meta");
    const before = structure(storage);
    expect(() => openTables(storage)).toThrow(/meta/);
    expect(structure(storage)).toEqual(before);
    expect(storage.sql.exec("SELECT id FROM results").toArray()).toEqual([{ id: "a" }, { id: "b" }]);
  });
});

it("refuses the tables of a newer release in a sentence, and leaves them as they are", async () => {
  const stub = env.RESULTS.get(env.RESULTS.newUniqueId());
  const sentence =
    /^The results were stored by a newer release of the labeler \(tables of version 99, while this one knows \d+\): .*\.$/;
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec("UPDATE schema_version SET version = 99");
    const before = structure(storage);
    expect(() => openTables(storage)).toThrow(sentence);
    expect(structure(storage)).toEqual(before);
  });
});
