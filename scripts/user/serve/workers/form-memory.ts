/** The memory for forms and JSON, which the workers of a labeler share; see worker/runtime/granted-budget.ts. */

/** A grant exceeds what was asked for by this part of the limit, if that is free, so that few requests have to ask. */
const MORE = 1 / 16;

export interface Wish {
  /** The name of the process. */
  readonly process: string;
  /** How much it holds or is about to hold, in all, in bytes. */
  readonly bytes: number;
  /** How much all processes may hold, in bytes. */
  readonly limit: number;
}

export interface Processes {
  /** Whether a process runs. */
  has(name: string): boolean;
  /** Asks a process to give back what it does not hold. @returns What it holds, in bytes; undefined if it is silent. */
  giveBack(name: string): Promise<number | undefined>;
}

export class FormMemory {
  readonly #processes: Processes;
  /** The bytes that were granted to each process. */
  readonly #granted = new Map<string, number>();
  /** One wish is served after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(processes: Processes) {
    this.#processes = processes;
  }

  /** @returns How many bytes the process may hold: as many as it wishes, or more; 0 if they are not free. */
  grant(wish: Wish): Promise<number> {
    const granted = this.#last.then(() => this.#grant(wish));
    this.#last = granted.catch(() => undefined);
    return granted;
  }

  /** Frees what a process held that has ended. */
  forget(process: string): void {
    this.#granted.delete(process);
  }

  async #grant({ process, bytes, limit }: Wish): Promise<number> {
    if (this.#others(process) + bytes > limit) await this.#collect(process);
    const free = limit - this.#others(process);
    if (bytes > free || !this.#processes.has(process)) return 0;
    const granted = Math.max(this.#granted.get(process) ?? 0, Math.min(free, Math.ceil(bytes + MORE * limit)));
    this.#granted.set(process, granted);
    return granted;
  }

  #others(than: string): number {
    let sum = 0;
    for (const [process, bytes] of this.#granted) if (process !== than) sum += bytes;
    return sum;
  }

  async #collect(wishing: string): Promise<void> {
    const others = [...this.#granted.keys()].filter((process) => process !== wishing);
    await Promise.all(
      others.map(async (process) => {
        const held = await this.#processes.giveBack(process);
        if (held !== undefined && this.#granted.has(process)) this.#granted.set(process, held);
      }),
    );
  }
}
