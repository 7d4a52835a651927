/** The Durable Object that stores the results: one for each labeler. A result is on disk before its call returns. */
import { DurableObject } from "cloudflare:workers";
import { type Bindings, settingsOf } from "../settings/settings.ts";
import { Aging } from "./aging.ts";
import { Pusher, type PushStatus } from "./push.ts";
import type { NewResult, Selection, StoredResult } from "./result.ts";
import { openTables } from "./schema.ts";
import { type ListOptions, ResultStore } from "./store.ts";
import { WriteCheck } from "./write-check.ts";

const DAY = 86_400_000;

/** How long a call that retries deliveries waits for their outcome, in milliseconds. */
const RETRY_PATIENCE = 5000;

/** How many results one call erases: a call of this size does not delay others. */
const ERASED_AT_ONCE = 2000;

/** What a call has erased, and where the next one continues. */
export interface ErasedPart {
  readonly count: number;
  /** The last row number that the call has looked at; null if nothing is left. */
  readonly after: number | null;
}

/**
 * Ids of the objects that this isolate has run. An idle object is evicted and created again, which is not a restart.
 */
const begun = new Set<string>();

export class Results extends DurableObject<Bindings> {
  readonly #store: ResultStore;
  readonly #aging: Aging;
  readonly #pusher: Pusher;
  readonly #writes: WriteCheck;
  /** The time of the alarm, in milliseconds. */
  #alarm: number | null = null;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const settings = settingsOf(env);
    const { sql } = ctx.storage;
    const isRestart = !begun.has(ctx.id.toString());
    begun.add(ctx.id.toString());
    openTables(ctx.storage);
    this.#store = new ResultStore(sql, { maxCount: settings.RESULTS_MAX_COUNT });
    this.#aging = new Aging(sql, this.#store, settings.RESULTS_MAX_AGE_DAYS * DAY);
    this.#writes = new WriteCheck(ctx.storage, ctx.id.toString());
    this.#pusher = new Pusher(sql, this.#store, {
      targets: settings.PUSH_TARGETS,
      token: settings.PUSH_TOKEN ?? undefined,
      maxAge: settings.PUSH_MAX_AGE_DAYS * DAY,
    });
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarm = await ctx.storage.getAlarm();
      if (!isRestart || !this.#pusher.waits) return;
      this.#pusher.forgetBackoff();
      await this.#work();
    });
  }

  /** Whether there is a result with this id. */
  has(id: string): boolean {
    return this.#store.has(id);
  }

  /** Stores a result unless its id is already there. @returns Whether it was new; it is then on disk. */
  async put(result: NewResult): Promise<boolean> {
    const now = Date.now();
    this.#aging.lookIfDue(now);
    if (this.#store.has(result.id)) return false;
    this.#writes.begin();
    this.#store.put(result, now);
    await this.#work();
    await this.#writes.end(now);
    return true;
  }

  /** The result with this id; null if there is none. */
  get(id: string): StoredResult | null {
    return this.#store.get(id) ?? null;
  }

  list(options: ListOptions): StoredResult[] {
    return this.#store.list(options);
  }

  /** Erases a part of the results that are selected. @param after The `after` of the call before, or 0. */
  async erase(selection: Selection, after: number): Promise<ErasedPart> {
    this.#writes.begin();
    const erased = this.#store.erase(selection, after, ERASED_AT_ONCE);
    await this.#writes.end(Date.now());
    return { count: erased.length, after: erased.length < ERASED_AT_ONCE ? null : (erased.at(-1) ?? null) };
  }

  /** Throws unless results can be read, and have been or can be written. */
  async check(): Promise<void> {
    this.#store.list({ limit: 1, order: "newest" });
    await this.#writes.check(Date.now());
  }

  /** The progress of each push target. */
  pushStatus(): PushStatus[] {
    return this.#pusher.status();
  }

  /** Tries every pending target at once. @returns The progress of each after its try, or after RETRY_PATIENCE. */
  async retryPush(): Promise<PushStatus[]> {
    this.#pusher.forgetBackoff();
    const started = await this.#work();
    await Promise.race([Promise.all(started), scheduler.wait(RETRY_PATIENCE)]);
    return this.#pusher.status();
  }

  override async alarm(): Promise<void> {
    this.#alarm = null;
    this.#aging.look(Date.now());
    await this.#work();
  }

  /** Starts the deliveries that are due, and sets the alarm for the next ones. */
  async #work(): Promise<readonly Promise<void>[]> {
    const started = this.#pusher.start(Date.now());
    await this.#setAlarm();
    for (const delivery of started) this.ctx.waitUntil(delivery.then(() => this.#setAlarm()));
    return started;
  }

  async #setAlarm(): Promise<void> {
    const now = Date.now();
    const times = [this.#pusher.due(now), this.#aging.due(now)];
    const next = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    if (next === Number.POSITIVE_INFINITY || (this.#alarm !== null && this.#alarm <= next)) return;
    this.#alarm = next;
    await this.ctx.storage.setAlarm(next);
  }
}
