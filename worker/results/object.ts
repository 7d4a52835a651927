/** The Durable Object that keeps the results: one for a labeler. What it returns is on disk. */
import { DurableObject } from "cloudflare:workers";
import { type Bindings, settingsOf } from "../http/settings.ts";
import { Pusher, type PushStatus } from "./push.ts";
import type { NewResult, StoredResult } from "./result.ts";
import { type ListOptions, ResultStore } from "./store.ts";

const DAY = 86_400_000;

/** What is too old is not shown; to delete it there is time. */
const PRUNE_EVERY = 3_600_000;

export class Results extends DurableObject<Bindings> {
  readonly #store: ResultStore;
  readonly #pusher: Pusher;
  /** When the alarm goes off, in milliseconds. */
  #alarm: number | null = null;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const settings = settingsOf(env);
    this.#store = new ResultStore(ctx.storage.sql, {
      maxAge: settings.RESULTS_MAX_AGE_DAYS * DAY,
      maxCount: settings.RESULTS_MAX_COUNT,
    });
    this.#pusher = new Pusher(ctx.storage.sql, this.#store, {
      targets: settings.PUSH_TARGETS,
      token: settings.PUSH_TOKEN ?? undefined,
      maxAge: settings.PUSH_MAX_AGE_DAYS * DAY,
    });
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarm = await ctx.storage.getAlarm();
    });
  }

  /** Whether there is a result of this id. */
  has(id: string): boolean {
    return this.#store.has(id, Date.now());
  }

  /** Keeps a result unless there is one of its id. @returns Whether it was new. */
  async put(result: NewResult): Promise<boolean> {
    const isNew = this.#store.put(result, Date.now());
    if (isNew) await this.#work();
    return isNew;
  }

  /** The result of this id; null if there is none. */
  get(id: string): StoredResult | null {
    return this.#store.get(id, Date.now()) ?? null;
  }

  list(options: ListOptions): StoredResult[] {
    return this.#store.list(options, Date.now());
  }

  /** How far each target is. */
  pushStatus(): PushStatus[] {
    return this.#pusher.status();
  }

  override async alarm(): Promise<void> {
    this.#alarm = null;
    this.#store.prune(Date.now());
    await this.#work();
  }

  /** Starts what is to be delivered, and sees to it that the alarm goes off when there is something to do next. */
  async #work(): Promise<void> {
    const started = this.#pusher.start(Date.now());
    await this.#setAlarm();
    for (const delivery of started) this.ctx.waitUntil(delivery.then(() => this.#setAlarm()));
  }

  async #setAlarm(): Promise<void> {
    const now = Date.now();
    const prune = this.#store.nextPrune();
    const times = [this.#pusher.due(now), prune === undefined ? undefined : Math.max(prune, now) + PRUNE_EVERY];
    const next = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    if (next === Number.POSITIVE_INFINITY || (this.#alarm !== null && this.#alarm <= next)) return;
    this.#alarm = next;
    await this.ctx.storage.setAlarm(next);
  }
}
