/**
 * Deletes results that are too old, but not at the first look: a clock that jumps ahead makes all rows look old, and they
 * were acknowledged. A row goes when it was too old at two looks that are an hour apart, and at all looks in between. There
 * is no clock here but the one that jumps, so the hour is added up from look to look, and no two looks count for more than
 * ten minutes: a jump cannot stand for the hour. The sum is in the database, so that restarts do not begin it again.
 */
import type { ResultStore } from "./store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What the time between two looks counts at most, and how long after one the next is due. */
const STEP = 10 * MINUTE;
/** A look for each of many calls would tell no more. */
const LOOK_EVERY = MINUTE;

/** Rows that are being watched. */
interface Watch {
  readonly [column: string]: SqlStorageValue;
  /** The row number up to which all rows have been too old since the watch began. */
  readonly horizon: number;
  /** When the last look was, in milliseconds of the clock. */
  readonly seen: number;
  /** How much of the hour is over, in milliseconds. */
  readonly elapsed: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS aging (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    horizon INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    elapsed INTEGER NOT NULL
  );
`;

export class Aging {
  readonly #sql: SqlStorage;
  readonly #store: ResultStore;
  readonly #maxAge: number;
  /** When this object looked last. */
  #looked: number | undefined;

  /** @param maxAge In milliseconds. */
  constructor(sql: SqlStorage, store: ResultStore, maxAge: number) {
    this.#sql = sql;
    this.#store = store;
    this.#maxAge = maxAge;
    sql.exec(SCHEMA);
  }

  /** Looks, unless that was done within the last minute. To be called often. */
  lookIfDue(now: number): void {
    if (this.#looked === undefined || now < this.#looked || now - this.#looked >= LOOK_EVERY) this.look(now);
  }

  /** Looks which rows are too old, and deletes those that have been so for long enough. */
  look(now: number): void {
    this.#looked = now;
    const tooOld = this.#store.lastOlderThan(now - this.#maxAge);
    const watch = this.#watch();
    // Fewer than before: the clock was ahead, and has been put right.
    if (watch === undefined || tooOld < watch.horizon) {
      this.#keep(tooOld, now, 0);
      return;
    }
    const elapsed = watch.elapsed + Math.min(STEP, Math.max(0, now - watch.seen));
    if (elapsed < HOUR) {
      this.#keep(watch.horizon, now, elapsed);
      return;
    }
    this.#store.prune(watch.horizon);
    this.#keep(tooOld > watch.horizon ? tooOld : 0, now, 0);
  }

  /** When to look next, in milliseconds; undefined where there is no row. */
  due(now: number): number | undefined {
    if (this.#watch() !== undefined) return now + STEP;
    const oldest = this.#store.oldest();
    return oldest === undefined ? undefined : Math.max(oldest + this.#maxAge, now) + LOOK_EVERY;
  }

  #watch(): Watch | undefined {
    return this.#sql.exec<Watch>("SELECT horizon, seen, elapsed FROM aging").toArray()[0];
  }

  /** @param horizon 0 where there is nothing to watch. */
  #keep(horizon: number, now: number, elapsed: number): void {
    if (horizon === 0) this.#sql.exec("DELETE FROM aging");
    else this.#sql.exec("INSERT OR REPLACE INTO aging VALUES (1, ?, ?, ?)", horizon, now, elapsed);
  }
}
