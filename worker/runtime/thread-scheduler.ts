/**
 * Shares the isolate's single thread among its requests: round robin by the time that each has used, the oldest request
 * first within a round. Between turns the event loop runs, so that health probes are always answered.
 */
import { LabelerError } from "../errors.ts";
import { type Clock, isolateClock } from "./clock.ts";
import type { Parts } from "./parts.ts";
import { Waker } from "./waker.ts";

/**
 * How much work, in milliseconds, may run between two rounds of the event loop: while several requests share the
 * thread, and while only one request uses it. In the second case only a probe waits, and it can wait that long. Work
 * cannot be interrupted, so the first work after a round may always run.
 */
const SHARED = 16;
const ALONE = 55;

/**
 * The share of the thread that all requests with much work get together while requests with little work wait; those get
 * the rest. A stream of small images therefore delays a large upload but does not stop it. If more requests with little
 * work wait than requests with much work, every request gets the same share.
 */
const BULK_SHARE = 0.75;

/**
 * How much a group of requests may catch up, in milliseconds of its share: more than an inference counts on a slow
 * machine, but little for a group that did not use the thread for a while.
 */
const CREDIT = 300;

/** What a request may use in a round, in milliseconds: about an inference. Any excess counts for the next rounds. */
const QUANTUM = 30;

/**
 * How often the event loop runs between two turns: a new connection is accepted in the first round, and its
 * request is read and answered in the second. If requests begin meanwhile, more may follow them, and behind the proxy
 * of wrangler dev the bytes of one request arrive in up to five rounds. A round takes 1 ms if no event is pending.
 */
const ROUNDS = 2;
const MOST_ROUNDS = 5;

/** How often a waiting request shows that it is alive, in milliseconds. */
const TICK = 50;

/** A request that has not taken the turn that it was given for this long has ended, in milliseconds. */
const LOST = 250;

/** A request that used the thread this recently may use it again soon, in milliseconds: an inference lies between. */
const RECENTLY = 100;

/** A request that was not seen for this long counts neither as a member nor as waiting, in milliseconds. */
const FORGOTTEN = 5000;
const SILENT = 1000;

/** A request's share of the thread. */
export interface Share {
  /** Whether the request carries many images, or a large one: see BULK_SHARE. */
  bulk: boolean;
  /** Receives how long the request waited for a turn, in milliseconds. */
  readonly onWait: ((milliseconds: number) => void) | undefined;
}

class Member implements Share {
  bulk = false;
  /** The virtual time that it has used, in milliseconds; it starts at the round in which the request began. */
  virtual = 0;
  /** The time that it has used since the event loop last ran, in milliseconds. */
  used = 0;
  seen = 0;
  readonly turns = new Set<Turn>();

  constructor(
    readonly order: number,
    readonly signal: AbortSignal | undefined,
    readonly onWait: Share["onWait"],
  ) {}
}

interface Turn {
  readonly member: Member;
  readonly units: number;
  readonly waker: Waker;
  /** The time at which it was given the thread. */
  granted: number;
  /** Whether it has taken the thread that it was given. */
  started: boolean;
  /** Whether it was given the thread and did not take it. */
  lost: boolean;
}

export class ThreadScheduler {
  readonly #clock: Clock;
  readonly #members = new Set<Member>();
  readonly #waiting = new Set<Turn>();
  /** The turn that is next: one of those that wait. */
  #next: Turn | undefined;
  /** The current round, in which a new request begins. */
  #round = 0;
  /** What the requests with little and with much work have used, each group divided by its share of the thread. */
  readonly #groups = { little: 0, much: 0 };
  /** Work since the event loop last ran, in milliseconds. */
  #used = 0;
  /** The number of requests that have begun so far. */
  #begun = 0;
  /** Whether the clock was seen to advance during work. */
  #clockRuns = false;

  constructor(clock: Clock = isolateClock) {
    this.#clock = clock;
  }

  /** The number of requests that wait for a turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Registers a request that is going to use the thread. Call end() once it no longer does.
   *
   * @param signal Aborted when the request's client has disconnected.
   */
  begin(signal?: AbortSignal, onWait?: Share["onWait"]): Share {
    const now = this.#clock.now();
    for (const member of this.#members) if (now - member.seen > FORGOTTEN) this.#members.delete(member);
    // If no other request is registered, this one has arrived in a new round of the event loop.
    if (this.#members.size === 0) this.#used = 0;
    const member = new Member(this.#begun++, signal, onWait);
    this.#see(member);
    signal?.addEventListener("abort", () => this.end(member), { once: true });
    return member;
  }

  /** Removes a request that no longer uses the thread. */
  end(share: Share): void {
    const member = share as Member;
    this.#members.delete(member);
    for (const turn of member.turns) this.#leave(turn);
  }

  /**
   * Runs work in the request's turn.
   *
   * @param units About how long it takes, in milliseconds. If the clock advances during work, the measured time counts.
   * @throws Whatever `work` throws.
   */
  async run<T>(share: Share, units: number, work: () => T): Promise<T> {
    const member = this.#enter(share);
    const free = this.#waiting.size === 0 && this.#fits(member, units);
    const turn = free ? undefined : await this.#turn(member, units);
    const start = this.#clock.now();
    try {
      return work();
    } finally {
      this.#charge(member, this.#cost(units, start));
      if (turn !== undefined) this.#leave(turn);
    }
  }

  /**
   * Runs work in one turn of the request; between its parts the event loop may go round. If another request was given
   * the turn meanwhile because this one seemed to have ended, the work restarts.
   *
   * @param units About how long all of it takes, in milliseconds.
   * @throws Whatever `work` throws.
   */
  async runInParts<T>(share: Share, units: number, work: () => Parts<T>): Promise<T> {
    const member = this.#enter(share);
    for (;;) {
      const turn = await this.#turn(member, this.#clockRuns ? 0 : units);
      try {
        const parts = work();
        let [left, start] = [units, this.#clock.now()];
        do {
          const { done, value } = parts.next();
          this.#charge(member, this.#cost(left, start));
          if (done) return value;
          left = 0;
          if (!this.#fits(member, 0)) await this.#pause(turn);
          start = this.#clock.now();
        } while (this.#next === turn);
      } finally {
        this.#leave(turn);
      }
    }
  }

  /**
   * Adds a request that wants the thread. If it did not want it for a while, it has no claim to the rounds that it
   * missed.
   *
   * @throws LabelerError of kind cut-off if the request's client has disconnected.
   */
  #enter(share: Share): Member {
    const member = share as Member;
    this.#see(member);
    member.virtual = Math.max(member.virtual, this.#round * QUANTUM);
    return member;
  }

  /**
   * The cost of work: the measured time if the clock advances during work, as on an edge device. On Cloudflare it
   * stands still, and the units count.
   */
  #cost(units: number, start: number): number {
    const measured = this.#clock.now() - start;
    this.#clockRuns ||= measured > 0;
    return this.#clockRuns ? measured : units;
  }

  /** Lets the event loop go round within a turn. */
  async #pause(turn: Turn): Promise<void> {
    for (let round = 0; round < ROUNDS && this.#next === turn; round++) {
      turn.granted = this.#clock.now();
      await this.#clock.round();
      this.#see(turn.member);
    }
    if (this.#next === turn) this.#startRound();
  }

  /** @throws LabelerError of kind cut-off if the request's client has disconnected. */
  #see(member: Member): void {
    if (member.signal?.aborted) throw new LabelerError("cut-off", "The client has closed the connection.");
    member.seen = this.#clock.now();
    this.#members.add(member);
  }

  /** Whether work of this size may run before the event loop runs again. */
  #fits(member: Member, units: number): boolean {
    if (this.#used === 0) return true;
    const alone = this.#used === member.used && this.#waiting.size <= 1;
    return this.#used + units <= (alone ? ALONE : SHARED);
  }

  #charge(member: Member, cost: number): void {
    this.#used += cost;
    member.used += cost;
    this.#round = Math.max(this.#round, roundOf(member));
    member.virtual += cost;
    this.#chargeGroup(member, cost);
  }

  #chargeGroup({ bulk }: Member, cost: number): void {
    const groups = this.#groups;
    const { little, much } = this.#countWaiting();
    if (bulk) groups.much += cost / BULK_SHARE;
    else groups.little += (cost / (1 - BULK_SHARE)) * Math.min(1, Math.max(1, much) / Math.max(1, little));
    groups.little = Math.max(groups.little, groups.much - CREDIT);
    groups.much = Math.max(groups.much, groups.little - CREDIT);
  }

  #countWaiting(): { little: number; much: number } {
    const counts = { little: 0, much: 0 };
    for (const { member } of this.#waiting) counts[member.bulk ? "much" : "little"]++;
    return counts;
  }

  /** Waits for this request's turn, which lasts until #leave(). Await nothing else in it. */
  async #turn(member: Member, units: number): Promise<Turn> {
    const since = this.#clock.now();
    const turn: Turn = { member, units, waker: new Waker(this.#clock), granted: 0, started: false, lost: false };
    member.turns.add(turn);
    for (;;) {
      this.#waiting.add(turn);
      turn.lost = false;
      this.#replaceLost();
      // A request that has just had its turn comes back before the next one has woken up, and may go first.
      if (this.#next !== undefined && !this.#next.started && this.#comesBefore(turn, this.#next))
        this.#next = undefined;
      this.#grant();
      if (this.#next === turn) {
        turn.started = true;
        if (await this.#breathe(turn)) break;
      }
      if (this.#next !== turn) await turn.waker.wait(TICK);
      this.#see(member);
    }
    member.onWait?.(this.#clock.now() - since);
    return turn;
  }

  /** Lets the event loop go round if this is due before the turn. @returns Whether it is still this request's turn. */
  async #breathe(turn: Turn): Promise<boolean> {
    let rounds = 0;
    const wait = () => !this.#fits(turn.member, turn.units) || (rounds === 0 && this.#isOwedByGroupOf(turn.member));
    for (let begun = this.#begun; rounds < MOST_ROUNDS && wait(); rounds++) {
      if (rounds >= ROUNDS && begun === this.#begun) break;
      begun = this.#begun;
      await this.#clock.round();
      if (this.#next !== turn) return false;
    }
    if (rounds === 0) return true;
    this.#startRound();
    // A request that goes first may have arrived meanwhile.
    this.#next = undefined;
    this.#grant();
    turn.started = this.#next === turn;
    return turn.started;
  }

  /** Resets the counters after the event loop has gone round. */
  #startRound(): void {
    this.#used = 0;
    for (const member of this.#members) member.used = 0;
  }

  /**
   * Whether the other group has used less, and a request of it may come back soon: between two parts of its work it
   * waits for its next bytes, or for their digest.
   */
  #isOwedByGroupOf({ bulk }: Member): boolean {
    const { little, much } = this.#groups;
    if (bulk ? much <= little : little <= much) return false;
    const now = this.#clock.now();
    for (const member of this.#members) if (member.bulk !== bulk && now - member.seen < RECENTLY) return true;
    return false;
  }

  /** Gives the thread to the next request: of the group that has used less, the lowest round, the oldest request. */
  #grant(): void {
    if (this.#next !== undefined) return;
    const now = this.#clock.now();
    let first: Turn | undefined;
    for (const turn of this.#waiting) {
      // A request that is alive comes back by itself.
      if (now - turn.member.seen > SILENT) this.#waiting.delete(turn);
      else if (!turn.lost && (first === undefined || this.#comesBefore(turn, first))) first = turn;
    }
    if (first === undefined) return;
    this.#next = first;
    first.granted = now;
    first.started = false;
    first.waker.wake();
  }

  #comesBefore({ member: a }: Turn, { member: b }: Turn): boolean {
    if (a.bulk !== b.bulk) return a.bulk === this.#groups.much < this.#groups.little;
    return roundOf(a) === roundOf(b) ? a.order < b.order : roundOf(a) < roundOf(b);
  }

  #leave(turn: Turn): void {
    this.#waiting.delete(turn);
    turn.member.turns.delete(turn);
    if (this.#next !== turn) return;
    this.#next = undefined;
    this.#grant();
  }

  /** Passes over a request that was given its turn and has ended without notice. */
  #replaceLost(): void {
    const turn = this.#next;
    if (turn === undefined || this.#clock.now() - turn.granted < LOST) return;
    turn.lost = true;
    this.#next = undefined;
  }
}

/** The round in which a request is served next. */
const roundOf = ({ virtual }: Member): number => Math.floor(virtual / QUANTUM);
