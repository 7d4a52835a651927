/** Lets a request wait for another one. */
import type { Clock } from "./clock.ts";
import { settledByAny } from "./shared-promise.ts";

/**
 * Lets one request wake another. workerd resolves a promise across requests only while the waiting request has a timer
 * or other I/O pending, and a request whose client has disconnected simply ends. So every wait is bounded by a timer,
 * which also shows the others that the waiting request is alive.
 */
export class Waker {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #woken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the current wait; if there is none, the next one ends at once. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Waits until wake() is called, but at most this many milliseconds. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.#woken) {
      const { promise, resolve } = settledByAny<void>();
      this.#wake = resolve;
      const cancel = this.#clock.after(milliseconds, resolve);
      await promise;
      cancel();
    }
    this.#wake = undefined;
    this.#woken = false;
  }
}
