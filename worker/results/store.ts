/**
 * Stores results in the SQLite database of a Durable Object: each id once, oldest first, pruned by count. aging.ts
 * decides which rows are too old. Until a row is deleted it is returned, since otherwise a clock that jumps ahead would
 * hide all. schema.ts makes the tables.
 */
import { BOUNDS, cursor, type NewResult, type Selection, type StoredRegion, type StoredResult } from "./result.ts";

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
  }

  /** Whether there is a result with this id. */
  has(id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM results WHERE id = ?", id).toArray().length > 0;
  }

  /**
   * Stores a result unless its id is already there. A row that is one too many becomes the new row, which Cloudflare bills
   * like a new row alone.
   *
   * @returns Whether it was new.
   */
  put(result: NewResult, now: number): boolean {
    if (this.has(result.id)) return false;
    const seq = this.last() + 1;
    const values = {
      seq,
      id: result.id,
      time: result.time,
      device: result.device,
      model: result.model,
      results: JSON.stringify(result.results.slice(0, BOUNDS.labels)),
      error: result.error?.slice(0, BOUNDS.error) ?? null,
      meta: JSON.stringify(result.meta),
      // If the clock was set back, a new row must not look older than those before it and be deleted with them.
      stored: Math.max(now, this.#end("DESC")?.stored ?? now),
      regions: result.regions === undefined ? null : regionsJson(result.regions),
    };
    const names = Object.keys(values).join();
    const marks = Object.keys(values).fill("?").join();
    const oldest = this.#end("ASC");
    if (oldest !== undefined && oldest.seq <= seq - this.#retention.maxCount) {
      const update = `UPDATE results SET (${names}) = (${marks}) WHERE seq = ?`;
      this.#sql.exec(update, ...Object.values(values), oldest.seq);
      this.prune(seq - this.#retention.maxCount);
    } else {
      this.#sql.exec(`INSERT INTO results (${names}) VALUES (${marks})`, ...Object.values(values));
    }
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
    const { last } = this.#sql.exec<{ last: number }>("SELECT last FROM row_numbers").one();
    return Math.max(last, this.#end("DESC")?.seq ?? 0);
  }

  /** When the oldest row was stored, in milliseconds; undefined if there are no rows. */
  oldest(): number | undefined {
    return this.#end("ASC")?.stored;
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

  /**
   * Deletes rows wherever they are. Their numbers stay unused, and so do those of rows at the new end.
   *
   * @param after Only rows behind this row number.
   * @param limit The largest number of rows.
   * @returns The number of each deleted row, in ascending order.
   */
  erase({ id, device, before, takenBefore }: Selection, after: number, limit: number): number[] {
    const conditions: [condition: string, value: SqlStorageValue | undefined][] = [
      ["seq > ?", after],
      ["id = ?", id],
      ["device = ?", device],
      ["seq < ?", before],
      ["time < ?", takenBefore],
    ];
    const given = conditions.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]));
    const where = given.map(({ condition }) => condition).join(" AND ");
    const values = given.map(({ value }) => value);
    const erased = this.#sql
      .exec<{ seq: number }>(`SELECT seq FROM results WHERE ${where} ORDER BY seq LIMIT ?`, ...values, limit)
      .toArray()
      .map(({ seq }) => seq);
    const last = erased.at(-1);
    if (last !== undefined) this.#sql.exec(`DELETE FROM results WHERE ${where} AND seq <= ?`, ...values, last);
    return erased;
  }

  /** The first or the last row. */
  #end(order: "ASC" | "DESC"): Pick<Row, "seq" | "stored"> | undefined {
    return this.#sql.exec<Row>(`SELECT seq, stored FROM results ORDER BY seq ${order} LIMIT 1`).toArray()[0];
  }

  #rows(where: string, ...values: SqlStorageValue[]): Row[] {
    return this.#sql.exec<Row>(`SELECT * FROM results ${where}`, ...values).toArray();
  }
}
