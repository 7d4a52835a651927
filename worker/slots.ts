/**
 * A semaphore for an isolate, fair as far as polling allows. Waiters poll: the promise of one request may not be resolved
 * by another's in workerd. A slot is a lease, and a place in the line is one too, since a request whose client hangs up may
 * simply end, with nobody left to release anything.
 */
import { LabelerError } from "./errors.ts";

export interface SlotOptions {
  /** How many slots there are; or of what slots are made, bytes say. */
  readonly count: number;
  /** How long a holder may go without a sign of life before its slot is given away, in milliseconds. */
  readonly lease: number;
  /** How long to wait for a slot, in milliseconds. */
  readonly patience: number;
  /** How many may wait; more are refused at once. */
  readonly line?: number;
  /** What there is a slot for, in the error: "decoding". */
  readonly what: string;
}

/** How often the first in line looks, in milliseconds; whoever is farther behind looks less often. */
const POLL = 4;
const SLOWEST_POLL = 50;

/** Whoever has not looked for so long is passed over, and after so long forgotten: a waiter that ended. In milliseconds. */
const PASSED_OVER = 300;
const FORGOTTEN = 20_000;

interface Waiter {
  /** When it last looked. */
  seen: number;
}

export class Slots {
  readonly #options: SlotOptions;
  readonly #leases = new Map<symbol, Held>();
  /** Who waits, in the order of coming. */
  readonly #line = new Set<Waiter>();

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** How much is taken. */
  get taken(): number {
    const now = Date.now();
    let taken = 0;
    for (const { end, weight } of this.#leases.values()) if (end >= now) taken += weight;
    return taken;
  }

  /** How many wait. */
  get waiting(): number {
    const now = Date.now();
    let waiting = 0;
    for (const { seen } of this.#line) if (now - seen < PASSED_OVER) waiting++;
    return waiting;
  }

  /** Whether no more than one slot is taken, and nobody waits. */
  get only(): boolean {
    return this.taken <= 1 && this.waiting === 0;
  }

  #take(weight: number): Lease | undefined {
    const now = Date.now();
    for (const [id, { end }] of this.#leases) if (end < now) this.#leases.delete(id);
    if (this.taken + weight > this.#options.count) return undefined;
    const id = Symbol();
    this.#leases.set(id, { end: now + this.#options.lease, weight });
    return new Lease(id, this.#leases, this.#options);
  }

  /** How many are before a waiter. */
  #before(waiter: Waiter): number {
    const now = Date.now();
    let before = 0;
    for (const other of this.#line) {
      if (other === waiter) break;
      if (now - other.seen >= FORGOTTEN) this.#line.delete(other);
      else if (now - other.seen < PASSED_OVER) before++;
    }
    return before;
  }

  /**
   * A slot, at once or as soon as one is free.
   *
   * @param weight How much of `count` it takes; never more than all of it.
   * @param signal Aborted where nobody waits any longer.
   * @throws LabelerError of kind busy if none became free in time, or too many wait already.
   */
  async acquire(weight = 1, signal?: AbortSignal): Promise<Lease> {
    const { count, patience, what, line = Number.POSITIVE_INFINITY } = this.#options;
    const needed = Math.min(weight, count);
    const waiting = this.waiting;
    const free = waiting === 0 ? this.#take(needed) : undefined;
    if (free !== undefined) return free;
    if (waiting >= line) throw new LabelerError("busy", `${waiting} wait for ${what} already. Try again.`);
    const waiter: Waiter = { seen: Date.now() };
    const end = waiter.seen + patience;
    this.#line.add(waiter);
    const leave = () => {
      this.#line.delete(waiter);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        waiter.seen = Date.now();
        this.#line.add(waiter); // where it was forgotten, at the end
        const before = this.#before(waiter);
        const lease = before === 0 ? this.#take(needed) : undefined;
        if (lease !== undefined) return lease;
        if (Date.now() >= end) {
          throw new LabelerError("busy", `All slots for ${what} were taken for ${patience} ms. Try again.`);
        }
        await scheduler.wait(Math.min(SLOWEST_POLL, POLL * (before + 1)));
      }
    } finally {
      signal?.removeEventListener("abort", leave);
      leave();
    }
  }
}

interface Held {
  /** When the lease ends unless it is renewed. */
  end: number;
  readonly weight: number;
}

export class Lease {
  readonly #id: symbol;
  readonly #leases: Map<symbol, Held>;
  readonly #options: SlotOptions;

  constructor(id: symbol, leases: Map<symbol, Held>, options: SlotOptions) {
    this.#id = id;
    this.#leases = leases;
    this.#options = options;
  }

  /** A sign of life. @returns False if the last one is so long ago that the slot was given away. */
  extend(): boolean {
    const held = this.#leases.get(this.#id);
    if (held === undefined) return false;
    held.end = Date.now() + this.#options.lease;
    return true;
  }

  /** A sign of life. @throws LabelerError of kind too-slow if the last one is so long ago that the slot was given away. */
  renew(): void {
    const { lease, what } = this.#options;
    if (!this.extend()) {
      throw new LabelerError("too-slow", `The body stood still for ${lease} ms, too long to keep a slot for ${what}.`);
    }
  }

  release(): void {
    this.#leases.delete(this.#id);
  }
}
