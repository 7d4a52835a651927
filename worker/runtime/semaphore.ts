/**
 * What an isolate has only so much of: slots, decoders, bytes of memory. Whoever cannot have it at once waits in a queue.
 * Knows nothing of what it is for.
 */
import { LabelerError } from "../errors.ts";
import { type Clock, isolateClock } from "./clock.ts";
import type { Reception } from "./reception.ts";
import { Waker } from "./waker.ts";

export interface SemaphoreOptions {
  /** How much there is. */
  readonly capacity: number;
  /** How long to wait for it, in milliseconds. */
  readonly patience: number;
  /** How many may wait; more are refused at once. */
  readonly queueLimit?: number;
  /** How much more there is for requests of little work, so that they need not wait for those of much. */
  readonly express?: number;
  /** What there is so much of, in errors: "slots for labelling". */
  readonly resource: string;
  /** Whether a client that holds nothing gets one more than there are while another client holds them all. */
  readonly fair?: boolean;
  readonly clock?: Clock;
}

export interface AcquireOptions {
  /** How much is wanted; never more than there is. */
  readonly weight?: number;
  /** Whose request it is: clients share what there is. */
  readonly client?: string | undefined;
  /** In milliseconds: the request is treated as if it had come so much later. Long work lets short work go first. */
  readonly delay?: number;
  /** Whether it is little work. */
  readonly express?: boolean;
  /** Aborted when the request's client has gone. */
  readonly signal?: AbortSignal | undefined;
  /** How the request's body comes in, where it still does. */
  readonly reception?: Reception | undefined;
}

/** How often whoever waits, and whoever holds, shows that it is alive, in milliseconds. */
const TICK = 250;
const HEARTBEAT = 500;

/** Whoever was silent for so long has ended: a request whose client has gone may end without anybody being told. */
const LOST = 2000;

interface Waiter {
  readonly weight: number;
  readonly client: string | undefined;
  /** When its turn is, compared with the others. */
  readonly due: number;
  /** The lease that is to grow; undefined for a new one. */
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
  /** Whether it has some of what there is for requests of little work alone. */
  readonly express: boolean;
  readonly since: number;
  weight: number;
  seen: number;
  /** When it was first found silent. */
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

  /** How many wait. */
  get waiting(): number {
    this.#forgetSilentWaiters();
    return this.#queue.size;
  }

  /**
   * Takes a part of what there is, at once or as soon as it is free.
   *
   * @throws LabelerError of kind busy if it was not free in time or too many wait already; of kind cut-off if the client
   *   has gone.
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
        if (waiter.granted === undefined) this.#queue.add(waiter); // where it was forgotten
        this.#reclaim();
        this.#grant();
      }
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#queue.delete(waiter);
    }
  }

  /** Refuses the newcomer where too many wait, or, if another client has far more waiting, that one's last request. */
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

  /** Gives what is free to those whose turn it is. */
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

  /** Whom something can be given now: the first, or else the first of those that there is more for. */
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

  /** What grows comes first, oldest first; then the client that holds the least; then whose turn it is. */
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

  /** Where all that hold something wait to hold more, none would get on: the youngest is refused. */
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

  /** Takes back from requests that have ended, and, as far as others need it, from those whose bodies come too slowly. */
  #reclaim(): void {
    const now = this.#clock.now();
    for (const held of this.#held) {
      if (now - held.seen > LOST) {
        // After a long computation the heartbeat may be late as well: it is looked at twice.
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
   * Holds more.
   *
   * @throws LabelerError as acquire() does.
   */
  grow(weight: number): Promise<void>;
  /** Whether it is still held. */
  holds(): boolean;
  release(): void;
}
