/**
 * Deletes results that are too old, but not at the first check: a clock that jumps ahead makes all rows look old,
 * although their senders rely on them. A row is deleted if it was too old at two checks that are an hour apart, and at
 * all checks in between. The only clock is the one that may jump, so the hour is summed up from check to check, and the
 * time between two checks counts as ten minutes at most: a jump cannot stand for the hour. The sum is in the database
 * and survives restarts.
 */
import type { ResultStore } from "./store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The most that the time between two checks counts, and the time until the next check is due. */
const STEP = 10 * MINUTE;
/** The shortest time between two checks: checking at each of many calls would not tell more. */
const LOOK_EVERY = MINUTE;

/** The state of a watch over rows that are too old. */
interface Watch {
  readonly [column: string]: SqlStorageValue;
  /** The row number up to which all rows have been too old since the watch began. */
  readonly horizon: number;
  /** The time of the last check, in milliseconds of the clock. */
  readonly seen: number;
  /** How much of the hour has passed, in milliseconds. */
  readonly elapsed: number;
}

export class Aging {
  readonly #sql: SqlStorage;
  readonly #store: ResultStore;
  readonly #maxAge: number;
  /** The time of this object's last check. */
  #looked: number | undefined;

  /** @param maxAge In milliseconds. */
  constructor(sql: SqlStorage, store: ResultStore, maxAge: number) {
    this.#sql = sql;
    this.#store = store;
    this.#maxAge = maxAge;
  }

  /** Checks, unless it has done so within the last minute. Call it often. */
  lookIfDue(now: number): void {
    if (this.#looked === undefined || now < this.#looked || now - this.#looked >= LOOK_EVERY) this.look(now);
  }

  /** Finds the rows that are too old, and deletes those that have been so for long enough. */
  look(now: number): void {
    this.#looked = now;
    const tooOld = this.#store.lastOlderThan(now - this.#maxAge);
    const watch = this.#watch();
    // There are fewer such rows than before: the clock was ahead, and has been corrected.
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

  /** When to check next, in milliseconds; undefined if there are no rows. */
  due(now: number): number | undefined {
    if (this.#watch() !== undefined) return now + STEP;
    const oldest = this.#store.oldest();
    return oldest === undefined ? undefined : Math.max(oldest + this.#maxAge, now) + LOOK_EVERY;
  }

  #watch(): Watch | undefined {
    return this.#sql.exec<Watch>("SELECT horizon, seen, elapsed FROM aging").toArray()[0];
  }

  /** Stores the state of the watch. @param horizon 0 if there is nothing to watch. */
  #keep(horizon: number, now: number, elapsed: number): void {
    if (horizon === 0) this.#sql.exec("DELETE FROM aging");
    else this.#sql.exec("INSERT OR REPLACE INTO aging VALUES (1, ?, ?, ?)", horizon, now, elapsed);
  }
}
