/**
 * The tables of the Durable Object with the results, and how tables of former releases become them. The database has the
 * version of its tables, so that a release refuses those of a newer one instead of damaging them.
 */

/** The version of the tables below. */
const VERSION = 1;

/** In the error about newer tables, which reaches a request as a text. */
export const NEWER = "were stored by a newer release";

/**
 * Cloudflare bills each row written, in a table or an index, so there are as few as possible. Hence the row numbers are
 * not those of AUTOINCREMENT, which writes each into a table of its own: `row_numbers` remembers a number only when the
 * row that has the largest one is deleted, since a number that is used twice would make cursors skip rows.
 */
const TABLES = `
  CREATE TABLE results (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    time TEXT NOT NULL,
    device TEXT,
    model TEXT NOT NULL,
    results TEXT NOT NULL,
    error TEXT,
    meta TEXT NOT NULL,
    stored INTEGER NOT NULL,
    regions TEXT
  );
  CREATE INDEX results_by_device ON results (device) WHERE device IS NOT NULL;
  CREATE TABLE row_numbers (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
  INSERT INTO row_numbers VALUES (1, 0);
  CREATE TRIGGER newest_deleted AFTER DELETE ON results
    WHEN NOT EXISTS (SELECT 1 FROM results WHERE seq > OLD.seq)
    BEGIN
      UPDATE row_numbers SET last = max(last, OLD.seq);
    END;
  CREATE TABLE IF NOT EXISTS push_targets (
    url TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    given_up INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    refusals INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS aging (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    horizon INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    elapsed INTEGER NOT NULL
  );
  CREATE TABLE schema_version (version INTEGER NOT NULL);
  INSERT INTO schema_version VALUES (${VERSION});
`;

/** The columns of a table; empty if there is no such table. */
function columnsOf(sql: SqlStorage, table: string): Set<string> {
  const rows = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info(?)", table).toArray();
  return new Set(rows.map(({ name }) => name));
}

/** The version of the tables; 0 if there are none, or those of a release that did not note it. */
function versionOf(sql: SqlStorage): number {
  if (columnsOf(sql, "schema_version").size === 0) return 0;
  return sql.exec<{ version: number }>("SELECT version FROM schema_version").one().version;
}

/** Makes the tables, and takes over the rows of releases up to 0.1.0, whose row numbers stay as they are. */
function create(sql: SqlStorage): void {
  const former = columnsOf(sql, "results");
  if (former.size > 0) {
    sql.exec(`
      DROP INDEX IF EXISTS results_by_device;
      DROP INDEX IF EXISTS results_by_age;
      ALTER TABLE results RENAME TO former_results;
    `);
  }
  sql.exec(TABLES);
  if (former.size > 0) {
    const columns = ["seq", "id", "time", "device", "model", "results", "error", "meta", "stored"];
    if (former.has("regions")) columns.push("regions");
    sql.exec(`
      INSERT INTO results (${columns.join()}) SELECT ${columns.join()} FROM former_results ORDER BY seq;
      UPDATE row_numbers SET last = ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'former_results'), 0);
      DROP TABLE former_results;
    `);
  }
  if (!columnsOf(sql, "push_targets").has("refusals")) {
    sql.exec("ALTER TABLE push_targets ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0");
  }
}

/**
 * Makes the tables what this release needs, all at once or not at all. Call it before anything else uses them.
 *
 * @throws Error in one sentence if a newer release has made them.
 */
export function openTables(storage: DurableObjectStorage): void {
  const version = versionOf(storage.sql);
  if (version > VERSION) {
    throw new Error(
      `The results ${NEWER} of the labeler (tables of version ${version}, while this one knows ${VERSION}): run that ` +
        "release again, or restore a copy of the results from before the upgrade.",
    );
  }
  if (version < VERSION) storage.transactionSync(() => create(storage.sql));
}
