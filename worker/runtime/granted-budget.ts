/**
 * A memory budget that several processes share. Each of them has a semaphore of its own, and asks one process for a grant
 * before it holds more than it was granted. It keeps a grant until it is asked to give back what it does not hold: a request
 * whose client has disconnected ends without notice, so that nobody could be told of it.
 */
import { LabelerError } from "../errors.ts";
import { type Clock, isolateClock } from "./clock.ts";

/** Asks for a grant of so many bytes in all. @returns How many are granted now, in bytes: that many, more, or 0. */
export type AskForGrant = (bytes: number) => Promise<number>;

export interface GrantedBudgetOptions {
  /** How much this process holds, in bytes. */
  readonly held: () => number;
  /** How long a request waits for a grant, in milliseconds. */
  readonly patience: number;
  /** The name of the resource in errors. */
  readonly resource: string;
  readonly clock?: Clock;
}

/** The wait between two attempts, in milliseconds. */
const AGAIN = 100;

export class GrantedBudget {
  readonly #options: GrantedBudgetOptions;
  readonly #clock: Clock;
  #granted = 0;
  /** How often something was given back: a grant from before that is void. */
  #epoch = 0;

  constructor(options: GrantedBudgetOptions) {
    this.#options = options;
    this.#clock = options.clock ?? isolateClock;
  }

  /** Gives back what is granted and not held. @returns What is held, in bytes, which stays granted. */
  giveBack(): number {
    this.#epoch++;
    this.#granted = this.#options.held();
    return this.#granted;
  }

  /**
   * Waits until all that this process holds is granted.
   *
   * @throws LabelerError of kind busy if others hold too much for too long; of kind cut-off if the client has disconnected.
   */
  async cover(ask: AskForGrant, signal?: AbortSignal): Promise<void> {
    const { held, patience, resource } = this.#options;
    const end = this.#clock.now() + patience;
    while (held() > this.#granted) {
      const epoch = this.#epoch;
      const granted = await ask(held());
      if (epoch === this.#epoch) this.#granted = Math.max(this.#granted, granted);
      if (held() <= this.#granted) return;
      if (signal?.aborted) throw new LabelerError("cut-off", "The client has closed the connection.");
      if (this.#clock.now() > end) {
        throw new LabelerError("busy", `All ${resource} was taken for ${patience} ms. Try again.`);
      }
      await new Promise<void>((resolve) => void this.#clock.after(AGAIN, resolve));
    }
  }
}
