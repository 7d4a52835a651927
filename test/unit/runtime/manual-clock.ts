/** A clock that stands still until a test moves it, and an event loop whose rounds are counted. */
import type { Clock } from "../../../worker/runtime/clock.ts";

export class ManualClock implements Clock {
  /** How often the event loop has gone round. */
  rounds = 0;
  /** What arrives in each round, if anything does. */
  arrivals: (() => void)[] = [];
  #now = 1000;
  readonly #timers = new Set<{ at: number; done: () => void }>();

  now(): number {
    return this.#now;
  }

  /** Time passes, in milliseconds, while nothing is served: a computation. */
  compute(milliseconds: number): void {
    this.#now += milliseconds;
  }

  async round(): Promise<void> {
    this.rounds++;
    this.arrivals.shift()?.();
    await settled();
  }

  after(milliseconds: number, done: () => void): () => void {
    const timer = { at: this.#now + milliseconds, done };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time passes, in milliseconds, and what waits for it is served. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.done();
      await settled();
    }
    this.#now = end;
    await settled();
  }
}

/** Until no promise is left that could be settled. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
