/**
 * Stores results in the SQLite database of a Durable Object: each id once, oldest first, pruned by count. aging.ts
 * decides which rows are too old. Until a row is deleted it is returned, since otherwise a clock that jumps ahead would
 * hide all.
 */
import { BOUNDS, cursor, type NewResult, type StoredRegion, type StoredResult } from "./result.ts";

export interface Retention {
  /** The largest number of rows. */
  readonly maxCount: number;
}

export interface ListOptions {
  /** Only rows after this row number. */
  readonly since?: number | undefined;
  /** Only rows before this row number. */
  readonly before?: number | undefined;
  readonly device?: string | undefined;
  readonly limit: number;
  readonly order: "oldest" | "newest";
}

interface Row {
  readonly [column: string]: SqlStorageValue;
  readonly seq: number;
  readonly id: string;
  readonly time: string;
  readonly device: string | null;
  readonly model: string;
  readonly results: string;
  /** JSON of [name, labels] for each region. */
  readonly regions: string | null;
  readonly error: string | null;
  readonly meta: string;
  readonly stored: number;
}

/**
 * AUTOINCREMENT: a row number is never used twice, so that a cursor stays valid when its row is pruned. Rows are
 * deleted only at the old end, so their numbers do not have gaps. Former releases had an index by age, which slowed
 * each insert.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS results (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
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
  CREATE INDEX IF NOT EXISTS results_by_device ON results (device, seq);
  DROP INDEX IF EXISTS results_by_age;
`;

/** Adds the column of regions to tables of former releases. */
function migrate(sql: SqlStorage): void {
  const columns = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('results')").toArray();
  if (!columns.some(({ name }) => name === "regions")) sql.exec("ALTER TABLE results ADD COLUMN regions TEXT");
}

/** The regions as JSON, with as many labels of each as the limit of a row allows. */
function regionsJson(regions: readonly StoredRegion[]): string {
  const most = Math.max(1, Math.floor(BOUNDS.labels / Math.max(1, regions.length)));
  return JSON.stringify(regions.map(({ name, labels }) => [name, labels.slice(0, most)]));
}

function shown(row: Row): StoredResult {
  const results: StoredResult["results"] = JSON.parse(row.results);
  return {
    next: cursor(row.seq),
    id: row.id,
    time: row.time,
    device: row.device,
    model: row.model,
    label: results[0]?.label ?? "",
    confidence: results[0]?.confidence ?? 0,
    results,
    ...(row.regions !== null && { regions: Object.fromEntries(JSON.parse(row.regions)) }),
    ...(row.error === null ? {} : { error: row.error }),
    meta: JSON.parse(row.meta),
  };
}

/** A stored row with the fields that delivery needs. */
export interface QueuedResult {
  readonly seq: number;
  /** When it was stored, in milliseconds. */
  readonly stored: number;
  readonly result: StoredResult;
}

export class ResultStore {
  readonly #sql: SqlStorage;
  readonly #retention: Retention;

  constructor(sql: SqlStorage, retention: Retention) {
    this.#sql = sql;
    this.#retention = retention;
    sql.exec(SCHEMA);
    migrate(sql);
  }

  /** Whether there is a result with this id. */
  has(id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM results WHERE id = ?", id).toArray().length > 0;
  }

  /** Stores a result unless its id is already there. @returns Whether it was new. */
  put(result: NewResult, now: number): boolean {
    if (this.has(result.id)) return false;
    // If the clock was set back, a new row must not look older than those before it and be deleted with them.
    const stored = Math.max(now, this.#stampOf("DESC") ?? now);
    const { seq } = this.#sql
      .exec<{ seq: number }>(
        "INSERT INTO results (id, time, device, model, results, error, meta, stored, regions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
        result.id,
        result.time,
        result.device,
        result.model,
        JSON.stringify(result.results.slice(0, BOUNDS.labels)),
        result.error?.slice(0, BOUNDS.error) ?? null,
        JSON.stringify(result.meta),
        stored,
        result.regions === undefined ? null : regionsJson(result.regions),
      )
      .one();
    this.prune(seq - this.#retention.maxCount);
    return true;
  }

  /** The result with this id, if there is one. */
  get(id: string): StoredResult | undefined {
    const [row] = this.#rows("WHERE id = ?", id);
    return row && shown(row);
  }

  /** At most `limit` results. */
  list({ since = 0, before = Number.MAX_SAFE_INTEGER, device, limit, order }: ListOptions): StoredResult[] {
    const direction = order === "oldest" ? "ASC" : "DESC";
    const [where, ...values] = device === undefined ? [""] : ["AND device = ?", device];
    return this.#rows(
      `WHERE seq > ? AND seq < ? ${where} ORDER BY seq ${direction} LIMIT ?`,
      since,
      before,
      ...values,
      limit,
    ).map(shown);
  }

  /** The first row after row number `seq`, whatever its age. */
  after(seq: number): QueuedResult | undefined {
    const [row] = this.#rows("WHERE seq > ? ORDER BY seq LIMIT 1", seq);
    return row && { seq: row.seq, stored: row.stored, result: shown(row) };
  }

  /** The number of the last row that was ever stored. */
  last(): number {
    const [row] = this.#sql.exec<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'results'").toArray();
    return row?.seq ?? 0;
  }

  /** When the oldest row was stored, in milliseconds; undefined if there are no rows. */
  oldest(): number | undefined {
    return this.#stampOf("ASC");
  }

  /** The last row number such that all rows up to it were stored before a time; 0 if the oldest row was not. */
  lastOlderThan(time: number): number {
    const oldest = this.oldest();
    if (oldest === undefined || oldest >= time) return 0;
    const [first] = this.#sql
      .exec<{ seq: number }>("SELECT seq FROM results WHERE stored >= ? ORDER BY seq LIMIT 1", time)
      .toArray();
    return first === undefined ? this.last() : first.seq - 1;
  }

  /** Deletes all rows up to and including a row number. */
  prune(seq: number): void {
    this.#sql.exec("DELETE FROM results WHERE seq <= ?", seq);
  }

  /** When the first or the last row was stored. */
  #stampOf(order: "ASC" | "DESC"): number | undefined {
    const query = `SELECT stored FROM results ORDER BY seq ${order} LIMIT 1`;
    return this.#sql.exec<{ stored: number }>(query).toArray()[0]?.stored;
  }

  #rows(where: string, ...values: SqlStorageValue[]): Row[] {
    return this.#sql.exec<Row>(`SELECT * FROM results ${where}`, ...values).toArray();
  }
}
