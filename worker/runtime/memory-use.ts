/** The memory that one request takes from a memory budget, which is a semaphore of bytes. */
import type { AcquireOptions, Lease, Semaphore } from "./semaphore.ts";

export class MemoryUse {
  readonly #budget: Semaphore;
  readonly #request: AcquireOptions;
  readonly #cover: (() => Promise<void>) | undefined;
  #lease: Lease | undefined;

  /** @param cover Awaited after each reservation: has other processes agree to it; see GrantedBudget. */
  constructor(budget: Semaphore, request: Omit<AcquireOptions, "weight">, cover?: () => Promise<void>) {
    this.#budget = budget;
    this.#request = request;
    this.#cover = cover;
  }

  /**
   * Reserves this many more bytes, as soon as the budget has them.
   *
   * @throws LabelerError of kind busy if they are not free in time.
   */
  async reserve(bytes: number): Promise<void> {
    if (this.#lease === undefined) this.#lease = await this.#budget.acquire({ ...this.#request, weight: bytes });
    else await this.#lease.grow(bytes);
    await this.#cover?.();
  }

  /** Releases everything. */
  release(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }
}
