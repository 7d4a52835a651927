/** The results in the SQLite database of a Durable Object: each id once, oldest first, pruned by age and by count. */
import { BOUNDS, cursor, type NewResult, type StoredResult } from "./result.ts";

export interface Retention {
  /** In milliseconds. */
  readonly maxAge: number;
  /** In rows. */
  readonly maxCount: number;
}

export interface ListOptions {
  /** Only rows behind this row number. */
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
  readonly error: string | null;
  readonly meta: string;
  readonly stored: number;
}

/**
 * AUTOINCREMENT: a row number is never given twice, so that a cursor holds when its row is pruned. Rows go by age and
 * count alone and none is deleted from the middle, so their numbers have no gaps.
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
    stored INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS results_by_device ON results (device, seq);
  CREATE INDEX IF NOT EXISTS results_by_age ON results (stored);
`;

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
    ...(row.error === null ? {} : { error: row.error }),
    meta: JSON.parse(row.meta),
  };
}

/** A stored row with what delivery needs to know of it. */
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
  }

  /** Whether there is a result of this id. */
  has(id: string, now: number): boolean {
    return (
      this.#sql.exec("SELECT 1 FROM results WHERE id = ? AND stored >= ?", id, this.#oldest(now)).toArray().length > 0
    );
  }

  /** Keeps a result unless there is one of its id. @returns Whether it was new. */
  put(result: NewResult, now: number): boolean {
    this.prune(now);
    if (this.has(result.id, now)) return false;
    const { seq } = this.#sql
      .exec<{ seq: number }>(
        "INSERT INTO results (id, time, device, model, results, error, meta, stored) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
        result.id,
        result.time,
        result.device,
        result.model,
        JSON.stringify(result.results.slice(0, BOUNDS.labels)),
        result.error?.slice(0, BOUNDS.error) ?? null,
        JSON.stringify(result.meta),
        now,
      )
      .one();
    this.#sql.exec("DELETE FROM results WHERE seq <= ?", seq - this.#retention.maxCount);
    return true;
  }

  /** The result of this id, if there is one. */
  get(id: string, now: number): StoredResult | undefined {
    const [row] = this.#rows("WHERE id = ? AND stored >= ?", id, this.#oldest(now));
    return row && shown(row);
  }

  /** At most `limit` results. */
  list(
    { since = 0, before = Number.MAX_SAFE_INTEGER, device, limit, order }: ListOptions,
    now: number,
  ): StoredResult[] {
    const direction = order === "oldest" ? "ASC" : "DESC";
    const [where, ...values] = device === undefined ? [""] : ["AND device = ?", device];
    const all = [since, before, this.#oldest(now), ...values, limit];
    return this.#rows(
      `WHERE seq > ? AND seq < ? AND stored >= ? ${where} ORDER BY seq ${direction} LIMIT ?`,
      ...all,
    ).map(shown);
  }

  /** The first row behind row number `seq`, however old. */
  after(seq: number): QueuedResult | undefined {
    const [row] = this.#rows("WHERE seq > ? ORDER BY seq LIMIT 1", seq);
    return row && { seq: row.seq, stored: row.stored, result: shown(row) };
  }

  /** The number of the last row that was ever stored. */
  last(): number {
    const [row] = this.#sql.exec<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'results'").toArray();
    return row?.seq ?? 0;
  }

  /** Deletes what is too old. */
  prune(now: number): void {
    this.#sql.exec("DELETE FROM results WHERE stored < ?", this.#oldest(now));
  }

  /** When there is something to prune next, in milliseconds. */
  nextPrune(): number | undefined {
    const [row] = this.#sql.exec<{ stored: number | null }>("SELECT min(stored) AS stored FROM results").toArray();
    return row?.stored == null ? undefined : row.stored + this.#retention.maxAge;
  }

  #rows(where: string, ...values: SqlStorageValue[]): Row[] {
    return this.#sql.exec<Row>(`SELECT * FROM results ${where}`, ...values).toArray();
  }

  #oldest(now: number): number {
    return now - this.#retention.maxAge;
  }
}
