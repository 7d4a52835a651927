/** The workers among which requests are shared: how many requests each one has, and which one takes the next. */

/** A worker that takes requests. */
export interface Member {
  /** The path of its socket. */
  readonly path: string;
}

interface State {
  /** Requests that were given to it and have not ended. */
  outstanding: number;
  serving: boolean;
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
  readonly take: (member: Member) => void;
}

/**
 * Gives each request to the worker with the fewest outstanding ones: clients keep their connections open, so that a choice
 * for each connection would let one worker idle while another queues. Among equals the first one takes it, whose caches are
 * warm then. A request waits while no worker serves.
 */
export class Roster<M extends Member = Member> {
  readonly #members = new Map<M, State>();
  readonly #waiting = new Set<Waiter>();

  /** Adds a worker, which takes requests as soon as it serves. */
  add(member: M): void {
    this.#members.set(member, { outstanding: 0, serving: false, idle: undefined });
  }

  /** Whether a worker takes requests now. */
  serve(member: M, serving: boolean): void {
    const state = this.#members.get(member);
    if (state === undefined) return;
    state.serving = serving;
    if (!serving) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { take } of waiting) take(this.#least() ?? member);
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

  /** How many requests have a place. */
  get outstanding(): number {
    let sum = 0;
    for (const state of this.#members.values()) sum += state.outstanding;
    return sum;
  }

  /**
   * Finds a place for a request.
   *
   * @param patience How long it waits while no worker serves, in milliseconds.
   * @param signal Aborted if the client has gone.
   * @returns Undefined if no worker served in time, or the client has gone.
   */
  async place(patience: number, signal: AbortSignal): Promise<Place<M> | undefined> {
    const member = this.#least() ?? (await this.#wait(patience, signal));
    const state = member && this.#members.get(member);
    if (member === undefined || state === undefined) return undefined;
    state.outstanding++;
    const leave = () => {
      state.outstanding--;
      if (state.outstanding === 0) state.idle?.();
    };
    return { member, leave };
  }

  #least(): M | undefined {
    let [least, fewest]: [M | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
    for (const [member, { serving, outstanding }] of this.#members) {
      if (serving && outstanding < fewest) [least, fewest] = [member, outstanding];
    }
    return least;
  }

  #wait(patience: number, signal: AbortSignal): Promise<M | undefined> {
    return new Promise((resolve) => {
      const end = (member?: M) => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", leave);
        resolve(member);
      };
      const leave = () => end();
      const waiter: Waiter = { take: (member) => end(member as M) };
      const timer = setTimeout(leave, patience);
      signal.addEventListener("abort", leave);
      this.#waiting.add(waiter);
    });
  }
}
