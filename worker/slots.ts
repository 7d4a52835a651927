/**
 * A semaphore for an isolate. Waiters poll: the promise of one request may not be resolved by another's in workerd. A
 * slot is a lease, since a request whose client hangs up may simply end, with nobody left to release anything.
 */
import { LabelerError } from "./errors.ts";

export interface SlotOptions {
  readonly count: number;
  /** How long a holder may go without a sign of life before its slot is given away, in milliseconds. */
  readonly lease: number;
  /** How long to wait for a slot, in milliseconds. */
  readonly patience: number;
  /** What there is a slot for, in the error: "decoding". */
  readonly what: string;
}

const POLL = 4;

export class Slots {
  readonly #options: SlotOptions;
  /** When each lease ends unless it is renewed. */
  readonly #leases = new Map<symbol, number>();

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  #take(): Lease | undefined {
    const now = Date.now();
    for (const [lease, end] of this.#leases) if (end < now) this.#leases.delete(lease);
    if (this.#leases.size >= this.#options.count) return undefined;
    const id = Symbol();
    this.#leases.set(id, now + this.#options.lease);
    return new Lease(id, this.#leases, this.#options);
  }

  /**
   * A slot, at once or as soon as one is free.
   *
   * @throws LabelerError of kind busy if none became free in time.
   */
  async acquire(): Promise<Lease> {
    const { patience, what } = this.#options;
    const end = Date.now() + patience;
    for (;;) {
      const lease = this.#take();
      if (lease !== undefined) return lease;
      if (Date.now() >= end)
        throw new LabelerError("busy", `All slots for ${what} were taken for ${patience} ms. Try again.`);
      await scheduler.wait(POLL);
    }
  }
}

export class Lease {
  readonly #id: symbol;
  readonly #leases: Map<symbol, number>;
  readonly #options: SlotOptions;

  constructor(id: symbol, leases: Map<symbol, number>, options: SlotOptions) {
    this.#id = id;
    this.#leases = leases;
    this.#options = options;
  }

  /** A sign of life. @throws LabelerError of kind too-slow if the last one is so long ago that the slot was given away. */
  renew(): void {
    const { lease, what } = this.#options;
    if (!this.#leases.has(this.#id)) {
      throw new LabelerError("too-slow", `The body stood still for ${lease} ms, too long to keep a slot for ${what}.`);
    }
    this.#leases.set(this.#id, Date.now() + lease);
  }

  release(): void {
    this.#leases.delete(this.#id);
  }
}
