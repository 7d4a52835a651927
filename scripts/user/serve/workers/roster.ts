/** The workers among which requests are shared: how many requests each one has, and which one takes the next. */

import type { Condition } from "../supervisor.ts";

/** A worker that takes requests. */
export interface Member {
  /** The path of its socket. */
  readonly path: string;
}

interface State {
  /** Requests that were given to it and have not ended. */
  outstanding: number;
  condition: Condition;
  /** Called once nothing is outstanding. */
  idle: (() => void) | undefined;
}

/** A request's place at a worker. */
export interface Place<M extends Member = Member> {
  readonly member: M;
  /** To be called once, when the request has ended. */
  leave(): void;
}

interface Waiter {
  readonly take: () => void;
}

/**
 * Gives each request to the worker with the fewest outstanding ones: clients keep their connections open, so that a choice
 * for each connection would let one worker idle while another queues. Among equals the first one takes it, whose caches are
 * warm then. A request waits while no worker runs.
 */
export class Roster<M extends Member = Member> {
  readonly #members = new Map<M, State>();
  readonly #waiting = new Set<Waiter>();

  /** Adds a worker, which takes requests as soon as its condition is noted. */
  add(member: M): void {
    this.#members.set(member, { outstanding: 0, condition: "ended", idle: undefined });
  }

  /** Notes the condition of a worker. A silent one takes requests only if none answers: it may merely be slow. */
  note(member: M, condition: Condition): void {
    const state = this.#members.get(member);
    if (state === undefined) return;
    state.condition = condition;
    if (condition === "ended") return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { take } of waiting) take();
  }

  /** Gives a worker no more requests. @returns When those that it has have ended. */
  retire(member: M): Promise<void> {
    const state = this.#members.get(member);
    this.#members.delete(member);
    if (state === undefined || state.outstanding === 0) return Promise.resolve();
    return new Promise((resolve) => {
      state.idle = resolve;
    });
  }

  /**
   * Finds a place for a request, and waits for it.
   *
   * @param patience How long it waits while no worker runs, in milliseconds.
   * @param signal Aborted if the client has gone.
   * @returns Undefined if no worker ran in time, or the client has gone.
   */
  async place(patience: number, signal: AbortSignal): Promise<Place<M> | undefined> {
    const end = performance.now() + patience;
    for (;;) {
      if (signal.aborted) return undefined;
      const found = this.placeNow();
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (left <= 0) return undefined;
      await this.#wait(left, signal);
    }
  }

  /** Finds a place for a request. @returns Undefined while no worker runs. */
  placeNow(): Place<M> | undefined {
    const [member, state] = this.#least("answers") ?? this.#least("silent") ?? [];
    if (member === undefined || state === undefined) return undefined;
    state.outstanding++;
    const leave = () => {
      state.outstanding--;
      if (state.outstanding === 0) state.idle?.();
    };
    return { member, leave };
  }

  #least(wanted: Condition): [M, State] | undefined {
    let least: [M, State] | undefined;
    for (const [member, state] of this.#members) {
      if (state.condition !== wanted) continue;
      if (least === undefined || state.outstanding < least[1].outstanding) least = [member, state];
    }
    return least;
  }

  /** Waits until the condition of a worker is noted. */
  #wait(patience: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const waiter: Waiter = { take: end };
      const timer = setTimeout(end, patience);
      signal.addEventListener("abort", end);
      this.#waiting.add(waiter);
    });
  }
}
