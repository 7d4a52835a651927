/**
 * Posts each new result to the configured targets: in order, at least once, one row at a time. A target that fails is
 * retried with growing delays, and does not delay the others. The position of each target is stored in the database, so
 * that a restart loses nothing; the object's alarm starts the next try.
 */
import type { ResultStore } from "./store.ts";

export interface PushOptions {
  readonly targets: readonly string[];
  /** The bearer token that is sent. */
  readonly token?: string | undefined;
  /** The largest age of a result that is still posted, in milliseconds. */
  readonly maxAge: number;
}

/** The progress of a target. */
export interface PushStatus {
  readonly target: string;
  readonly delivered: number;
  readonly waiting: number;
  /** Results that it will not receive: too old, refused, or pruned or erased before the target could be reached. */
  readonly givenUp: number;
  /** The number of failures since the last success. */
  readonly failures: number;
  /** The time of the next try, ISO 8601; null if nothing has to be retried. */
  readonly retryAt: string | null;
  readonly lastError: string | null;
}

interface Target {
  readonly [column: string]: SqlStorageValue;
  readonly url: string;
  readonly position: number;
  readonly delivered: number;
  readonly given_up: number;
  readonly failures: number;
  /** How often in a row the target has refused the next result. */
  readonly refusals: number;
  readonly retry_at: number;
  readonly last_error: string | null;
}

const TIMEOUT = 10_000;
const FIRST_RETRY = 1000;
const LAST_RETRY = 300_000;
/**
 * The longest delay for a target that has accepted results before: its address is right, and it restarts or updates.
 */
const LAST_RETRY_OF_KNOWN = 30_000;
/** The most results that are posted in one invocation, whose calls Cloudflare limits. The alarm starts the next one. */
const AT_ONCE = 500;
/**
 * A delivery, or the wait for one, may die with the process: the alarm goes off after this long and starts it again.
 */
const LEASE = 30_000;
/** HTTP statuses with which a target refuses the row itself. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 415, 422]);
/** A row is given up after this many refusals in a row: a target that is starting may refuse what it accepts later. */
const REFUSED_TRIES = 3;

/** The largest random part that is added to a delay, so that many labelers do not retry at the same time. */
const JITTER = 0.2;

/**
 * The delay before the next try.
 *
 * @param failures The number of failures in a row, including the last one.
 * @param hasWorked Whether the target has ever accepted a result.
 * @returns Milliseconds.
 */
export function retryDelay(failures: number, hasWorked: boolean): number {
  const longest = hasWorked ? LAST_RETRY_OF_KNOWN : LAST_RETRY;
  const delay = Math.min(FIRST_RETRY * 2 ** Math.min(failures - 1, 20), longest / (1 + JITTER));
  return Math.round(delay * (1 + JITTER * Math.random()));
}

export class Pusher {
  readonly #sql: SqlStorage;
  readonly #store: ResultStore;
  readonly #options: PushOptions;
  readonly #running = new Set<string>();

  constructor(sql: SqlStorage, store: ResultStore, options: PushOptions) {
    this.#sql = sql;
    this.#store = store;
    this.#options = options;
    // A new target receives the results from now on.
    for (const url of options.targets) {
      sql.exec("INSERT INTO push_targets (url, position) VALUES (?, ?) ON CONFLICT DO NOTHING", url, store.last());
    }
  }

  /** Starts all deliveries that are due. @returns A promise for each target that was started; none of them rejects. */
  start(now: number): Promise<void>[] {
    return this.#options.targets.flatMap((url) => {
      const target = this.#target(url);
      if (this.#running.has(url) || this.#retryAt(target, now) > now || this.#waiting(target) === 0) return [];
      this.#running.add(url);
      return [this.#deliver(url).finally(() => this.#running.delete(url))];
    });
  }

  /** When to start again, in milliseconds; undefined if nothing is pending. */
  due(now: number): number | undefined {
    const times = this.#options.targets
      .map((url) => this.#target(url))
      .filter((target) => this.#waiting(target) > 0)
      .map((target) =>
        Math.min(now + LEASE, this.#running.has(target.url) ? Number.POSITIVE_INFINITY : this.#retryAt(target, now)),
      );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether a target has not received everything yet. */
  get waits(): boolean {
    return this.#options.targets.some((url) => this.#waiting(this.#target(url)) > 0);
  }

  /** Makes the next start() try all targets, however often they have failed. */
  forgetBackoff(): void {
    this.#sql.exec("UPDATE push_targets SET retry_at = 0 WHERE retry_at > 0");
  }

  status(): PushStatus[] {
    return this.#options.targets.map((url) => {
      const target = this.#target(url);
      return {
        target: url,
        delivered: target.delivered,
        waiting: this.#waiting(target),
        givenUp: target.given_up,
        failures: target.failures,
        retryAt: target.failures > 0 ? new Date(target.retry_at).toISOString() : null,
        lastError: target.last_error,
      };
    });
  }

  #target(url: string): Target {
    return this.#sql.exec<Target>("SELECT * FROM push_targets WHERE url = ?", url).one();
  }

  /** When a target is retried. A time that was stored while the clock was ahead is limited, or it would never come. */
  #retryAt({ retry_at }: Target, now: number): number {
    return retry_at > now + 2 * LAST_RETRY ? now : retry_at;
  }

  #waiting(target: Target): number {
    return this.#store.last() - target.position;
  }

  /** Posts row after row until there is none left, one fails, or AT_ONCE rows are posted. */
  async #deliver(url: string): Promise<void> {
    for (let posted = 0; posted < AT_ONCE; posted++) {
      const { position, delivered, failures, refusals } = this.#target(url);
      const next = this.#store.after(position);
      if (next === undefined) {
        this.#giveUp(
          url,
          this.#store.last(),
          this.#store.last() - position,
          "pruned or erased before they could be delivered",
        );
        return;
      }
      // Rows are missing where they were pruned or erased.
      this.#giveUp(url, next.seq - 1, next.seq - 1 - position, "pruned or erased before they could be delivered");
      if (Date.now() - next.stored > this.#options.maxAge) {
        this.#giveUp(url, next.seq, 1, "too old");
        continue;
      }
      const failure = await this.#post(url, JSON.stringify(next.result));
      if (failure === undefined) {
        this.#sql.exec(
          "UPDATE push_targets SET position = ?, delivered = delivered + 1, failures = 0, refusals = 0, retry_at = 0, last_error = NULL WHERE url = ?",
          next.seq,
          url,
        );
        continue;
      }
      // A failure without a refusal, such as an outage, begins the count anew: the target may refuse while it starts.
      const refused = failure.refused ? refusals + 1 : 0;
      if (refused >= REFUSED_TRIES) {
        this.#giveUp(url, next.seq, 1, `refused: ${failure.reason}`);
        continue;
      }
      // A target that refuses is reachable, so the delay of an outage before does not apply.
      this.#sql.exec(
        "UPDATE push_targets SET failures = failures + 1, refusals = ?, retry_at = ?, last_error = ? WHERE url = ?",
        refused,
        Date.now() + retryDelay(failure.refused ? refused : failures + 1, delivered > 0),
        failure.reason.slice(0, 500),
        url,
      );
      if (failures === 0) console.warn(`Push to ${url}: ${failure.reason}. It is tried again, later and later.`);
      return;
    }
  }

  #giveUp(url: string, position: number, count: number, why: string): void {
    if (count <= 0) return;
    console.error(`Push to ${url}: gave up ${count} results up to row ${position}: ${why}.`);
    this.#sql.exec(
      "UPDATE push_targets SET position = ?, given_up = given_up + ?, failures = 0, refusals = 0, retry_at = 0 WHERE url = ?",
      position,
      count,
      url,
    );
  }

  /** @returns What went wrong; undefined if the target accepted the result. */
  async #post(url: string, body: string): Promise<{ reason: string; refused: boolean } | undefined> {
    const { token } = this.#options;
    try {
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        // Only the configured address may receive results, and a redirect leads elsewhere.
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      await response.body?.cancel();
      if (response.ok) return undefined;
      return { reason: `answered with status ${response.status}`, refused: REFUSALS.has(response.status) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { reason: reason.replace(/\.+$/, ""), refused: false };
    }
  }
}
