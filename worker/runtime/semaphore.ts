/**
 * A semaphore for a limited resource of an isolate: slots, decoders, bytes of memory. A request that cannot have its
 * part at once waits in a queue. The semaphore does not know what the resource is for.
 */
import { LabelerError } from "../errors.ts";
import { type Clock, isolateClock } from "./clock.ts";
import type { Reception } from "./reception.ts";
import { Waker } from "./waker.ts";

export interface SemaphoreOptions {
  /** How much of the resource there is. */
  readonly capacity: number;
  /** How long a request waits for it, in milliseconds. */
  readonly patience: number;
  /** The longest queue; further requests are refused at once. */
  readonly queueLimit?: number;
  /** Additional capacity for requests of little work, so that they need not wait for those of much work. */
  readonly express?: number;
  /** The name of the resource in errors: "slots for labelling". */
  readonly resource: string;
  /** Whether a client that holds nothing gets one above the capacity while another client holds it all. */
  readonly fair?: boolean;
  readonly clock?: Clock;
}

export interface AcquireOptions {
  /** How much is wanted; at most the capacity. */
  readonly weight?: number;
  /** The client that sent the request: clients share the resource. */
  readonly client?: string | undefined;
  /**
   * A handicap in milliseconds: the request is treated as if it had arrived this much later, so that short work goes
   * first.
   */
  readonly delay?: number;
  /** Whether the request is little work. */
  readonly express?: boolean;
  /** Aborted when the client has disconnected. */
  readonly signal?: AbortSignal | undefined;
  /** The progress of the request's body, if it is still arriving. */
  readonly reception?: Reception | undefined;
}

/** How often a waiter or a holder shows that it is alive, in milliseconds. */
const TICK = 250;
const HEARTBEAT = 500;

/** A request that was silent for this long, in milliseconds, has ended: workerd may end it without notice. */
const LOST = 2000;

interface Waiter {
  readonly weight: number;
  readonly client: string | undefined;
  /** The time by which it is ordered in the queue. */
  readonly due: number;
  /** The lease that should grow; undefined for a new one. */
  readonly grows: Held | undefined;
  readonly waker: Waker;
  readonly request: AcquireOptions;
  seen: number;
  granted: Held | undefined;
  refused: LabelerError | undefined;
}

interface Held {
  readonly client: string | undefined;
  readonly reception: Reception | undefined;
  /** Whether it uses the capacity that is reserved for requests of little work. */
  readonly express: boolean;
  readonly since: number;
  weight: number;
  seen: number;
  /** The time at which it was first found silent. */
  silent: number | undefined;
  /** Whether it waits to hold more. */
  growing: boolean;
}

export class Semaphore {
  readonly #options: SemaphoreOptions;
  readonly #clock: Clock;
  readonly #held = new Set<Held>();
  readonly #queue = new Set<Waiter>();

  constructor(options: SemaphoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? isolateClock;
  }

  /** How much is held. */
  get taken(): number {
    return this.#takenBy(() => true);
  }

  /** How much is free: more may be promised to waiting requests. */
  get free(): number {
    return Math.max(0, this.#options.capacity - this.taken);
  }

  /** The number of waiting requests. */
  get waiting(): number {
    this.#forgetSilentWaiters();
    return this.#queue.size;
  }

  /**
   * Acquires a part of the resource, at once or as soon as it is free.
   *
   * @throws LabelerError of kind busy if it was not free in time or the queue is full; of kind cut-off if the client
   *   has disconnected.
   */
  async acquire(request: AcquireOptions = {}): Promise<Lease> {
    const held = await this.#wait(request, Math.min(request.weight ?? 1, this.#options.capacity), undefined);
    const { signal } = request;
    const leave = () => this.#release(held);
    if (signal?.aborted) leave();
    signal?.addEventListener("abort", leave, { once: true });
    let stop = this.#clock.after(HEARTBEAT, beat);
    const clock = this.#clock;
    function beat() {
      held.seen = clock.now();
      held.silent = undefined;
      stop = clock.after(HEARTBEAT, beat);
    }
    return {
      grow: async (weight) => {
        held.growing = true;
        try {
          await this.#wait(request, weight, held);
        } finally {
          held.growing = false;
        }
      },
      holds: () => this.#held.has(held),
      release: () => {
        stop();
        signal?.removeEventListener("abort", leave);
        leave();
      },
    };
  }

  async #wait(request: AcquireOptions, weight: number, grows: Held | undefined): Promise<Held> {
    const { patience, resource } = this.#options;
    const { client, delay = 0, signal } = request;
    throwIfGone(signal);
    const now = this.#clock.now();
    const waiter: Waiter = {
      weight,
      client,
      due: grows?.since ?? now + delay,
      grows,
      waker: new Waker(this.#clock),
      request,
      seen: now,
      granted: undefined,
      refused: undefined,
    };
    if (grows === undefined) this.#makePlace(waiter);
    this.#queue.add(waiter);
    const leave = () => {
      this.#queue.delete(waiter);
      if (waiter.granted !== undefined && grows === undefined) this.#release(waiter.granted);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      this.#grant();
      for (;;) {
        throwIfGone(signal);
        if (waiter.refused !== undefined) throw waiter.refused;
        if (waiter.granted !== undefined) return waiter.granted;
        const left = now + patience - this.#clock.now();
        if (left <= 0) {
          throw new LabelerError("busy", `All ${resource} were taken for ${patience} ms. Try again.`);
        }
        await waiter.waker.wait(Math.min(left, TICK));
        waiter.seen = this.#clock.now();
        if (waiter.granted === undefined) this.#queue.add(waiter); // it may have been removed as silent
        this.#reclaim();
        this.#grant();
      }
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#queue.delete(waiter);
    }
  }

  /** If the queue is full, refuses the newcomer, or the last request of a client that has far more waiting. */
  #makePlace({ client }: Waiter): void {
    const { queueLimit = Number.POSITIVE_INFINITY, resource } = this.#options;
    const waiting = this.waiting;
    if (waiting < queueLimit) return;
    const refusal = new LabelerError("busy", `${waiting} requests wait for ${resource} already. Try again.`);
    const counts = new Map<string | undefined, Waiter[]>();
    for (const waiter of this.#queue) {
      if (waiter.grows === undefined) counts.set(waiter.client, [...(counts.get(waiter.client) ?? []), waiter]);
    }
    const [most = []] = [...counts.values()].sort((a, b) => b.length - a.length);
    const last = most.at(-1);
    if (last === undefined || most.length < (counts.get(client)?.length ?? 0) + 2) throw refusal;
    this.#queue.delete(last);
    last.refused = refusal;
    last.waker.wake();
  }

  /** Grants what is free to the waiters that are next. */
  #grant(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined) {
        this.#refuseOneOfStuck();
        return;
      }
      const now = this.#clock.now();
      const { waiter, express } = next;
      const { grows, weight, client, request } = waiter;
      const held = grows ?? {
        client,
        reception: request.reception,
        express,
        since: now,
        weight: 0,
        seen: now,
        silent: undefined,
        growing: false,
      };
      held.weight += weight;
      this.#held.add(held);
      this.#queue.delete(waiter);
      waiter.granted = held;
      waiter.waker.wake();
    }
  }

  /** The waiter that can be granted now: the first one, or else the first that may use the express capacity. */
  #next(): { waiter: Waiter; express: boolean } | undefined {
    const first = this.#first();
    if (first === undefined) return undefined;
    if (this.#isFreeFor(first)) return { waiter: first, express: false };
    const little = this.#first(({ request }) => request.express === true);
    const taken = this.#takenBy(({ express }) => express);
    if (little === undefined || taken + little.weight > (this.#options.express ?? 0)) return undefined;
    return { waiter: little, express: true };
  }

  #takenBy(counts: (held: Held) => boolean): number {
    let taken = 0;
    for (const held of this.#held) if (counts(held)) taken += held.weight;
    return taken;
  }

  /** Growing leases come first, oldest first; then the client that holds the least; then the order of `due`. */
  #first(counts: (waiter: Waiter) => boolean = () => true): Waiter | undefined {
    this.#forgetSilentWaiters();
    const holds = new Map<string | undefined, number>();
    for (const { client, weight } of this.#held) holds.set(client, (holds.get(client) ?? 0) + weight);
    const of = ({ client }: Waiter) => (this.#options.fair ? (holds.get(client) ?? 0) : 0);
    let first: Waiter | undefined;
    for (const waiter of this.#queue) {
      if (!counts(waiter)) continue;
      if (first === undefined) first = waiter;
      else if ((waiter.grows === undefined) !== (first.grows === undefined)) {
        if (waiter.grows !== undefined) first = waiter;
      } else if ((of(waiter) - of(first) || waiter.due - first.due) < 0) first = waiter;
    }
    return first;
  }

  #isFreeFor({ weight, client, grows }: Waiter): boolean {
    const { capacity, fair } = this.#options;
    const taken = this.#takenBy((held) => !held.express);
    if (taken + weight <= capacity) return true;
    if (!fair || grows !== undefined) return false;
    const [holder, ...others] = new Set([...this.#held].map((held) => held.client));
    return others.length === 0 && holder !== client && taken + weight <= capacity + 1;
  }

  /** If all holders wait to hold more, none could continue: refuses the youngest. */
  #refuseOneOfStuck(): void {
    let youngest: Waiter | undefined;
    for (const waiter of this.#queue) {
      if (waiter.grows !== undefined && (youngest === undefined || waiter.due >= youngest.due)) youngest = waiter;
    }
    if (youngest === undefined || [...this.#held].some(({ growing }) => !growing)) return;
    this.#queue.delete(youngest);
    youngest.refused = new LabelerError("busy", `All ${this.#options.resource} are taken. Try again.`);
    youngest.waker.wake();
  }

  /**
   * Reclaims the leases of requests that have ended and, if others need them, of those whose bodies arrive too slowly.
   */
  #reclaim(): void {
    const now = this.#clock.now();
    for (const held of this.#held) {
      if (now - held.seen > LOST) {
        // After a long computation the heartbeat may be late as well, so a holder must be found silent twice.
        held.silent ??= now;
        if (now - held.silent >= TICK) this.#release(held);
      }
    }
    for (const held of this.#held) {
      const next = this.#first();
      if (next === undefined || this.#isFreeFor(next)) return;
      if (!held.reception?.tooSlow) continue;
      held.reception.refuse(this.#options.resource);
      this.#release(held);
    }
  }

  #release(held: Held): void {
    if (this.#held.delete(held)) this.#grant();
  }

  #forgetSilentWaiters(): void {
    const now = this.#clock.now();
    for (const waiter of this.#queue) if (now - waiter.seen > LOST) this.#queue.delete(waiter);
  }
}

function throwIfGone(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LabelerError("cut-off", "The client has closed the connection.");
}

/** What a request holds until it releases it, is aborted, or was silent or too slow for too long. */
export interface Lease {
  /**
   * Acquires more.
   *
   * @throws LabelerError as acquire() does.
   */
  grow(weight: number): Promise<void>;
  /** Whether the lease is still held. */
  holds(): boolean;
  release(): void;
}
