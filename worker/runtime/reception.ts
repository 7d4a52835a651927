/**
 * Tracks how a request's body arrives. A slow body is served like any other while nobody waits. Once other requests
 * wait for something that it holds (a slot, a decoder, memory), it has to arrive at a minimum rate and within a
 * deadline.
 */
import { LabelerError } from "../errors.ts";
import { type Clock, isolateClock } from "./clock.ts";
import { settledByAny } from "./shared-promise.ts";

/** The minimum rate once others wait, in bytes per second, and how long a body may be slower, in milliseconds. */
const LEAST_RATE = 8 << 10;
const SPAN = 1000;
const PARTS = 4;
/** Three of four quarters count, since the last one has only begun. */
const LEAST_BYTES = (LEAST_RATE * SPAN * (PARTS - 1)) / (1000 * PARTS);

/**
 * For how long, in milliseconds, the minimum rate is enough while others wait; after that the rate has to be higher.
 */
const PATIENCE = 10_000;
const STEADY_RATE = 64 << 10;

/** The longest time that a body may hold what others wait for, however fast it arrives, in milliseconds. */
const DEADLINE = 30_000;

export class Reception {
  readonly #clock: Clock;
  /** How long the request has waited for bytes so far, and since when it has been waiting now, in milliseconds. */
  #waited = 0;
  #since = 0;
  /** Bytes in each quarter of the last second; `#part` counts the quarters. */
  readonly #recent: number[] = new Array(PARTS).fill(0);
  #part: number;
  #bytes = 0;
  #waiting = false;
  #refusal: LabelerError | undefined;
  #reject: ((error: LabelerError) => void) | undefined;

  constructor(clock: Clock = isolateClock) {
    this.#clock = clock;
    this.#part = this.#partNow();
  }

  /** Whether it must release what it holds: others wait for that, and its body arrives too slowly. */
  get tooSlow(): boolean {
    if (!this.#waiting || this.#refusal !== undefined) return false;
    const age = this.#age();
    this.#forgetOld();
    const recent = this.#recent.reduce((sum, bytes) => sum + bytes, 0);
    if (age >= SPAN && recent < LEAST_BYTES) return true;
    return age >= DEADLINE || (age >= PATIENCE && (this.#bytes * 1000) / age < STEADY_RATE);
  }

  /** Refuses the body: its reader gets a LabelerError of kind too-slow. */
  refuse(resource: string): void {
    const age = (this.#age() / 1000).toFixed(1);
    this.#refusal = new LabelerError(
      "too-slow",
      `Only ${this.#bytes} bytes of the body came within ${age} s, and other requests wait for ${resource}. Send it ` +
        "again over a faster connection, or send a smaller image.",
    );
    this.#reject?.(this.#refusal);
  }

  /**
   * Waits for bytes.
   *
   * @throws LabelerError of kind too-slow if others needed what this request holds; and whatever `read` throws.
   */
  async wait<T extends { readonly value?: Uint8Array | undefined }>(read: Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#waiting = true;
    this.#since = this.#clock.now();
    try {
      const { promise, resolve, reject } = settledByAny<T>();
      this.#reject = reject;
      read.then(resolve, reject);
      const result = await promise;
      const length = result.value?.length ?? 0;
      this.#forgetOld();
      this.#recent[this.#part % PARTS] += length;
      this.#bytes += length;
      return result;
    } finally {
      this.#waited = this.#age();
      this.#waiting = false;
      this.#reject = undefined;
    }
  }

  /**
   * How long the request has waited for its body, in milliseconds. Only that time counts: while the thread is busy,
   * bytes that arrived long ago stay unread.
   */
  #age(): number {
    return this.#waited + (this.#waiting ? this.#clock.now() - this.#since : 0);
  }

  #partNow(): number {
    return Math.floor((this.#age() * PARTS) / SPAN);
  }

  #forgetOld(): void {
    const now = this.#partNow();
    for (; this.#part < now; this.#part++) {
      if (now - this.#part > PARTS) this.#part = now - PARTS;
      this.#recent[(this.#part + 1) % PARTS] = 0;
    }
  }
}
