/** Remembers ids of results that this isolate has stored, to recognise an image that a sender repeats. */

/** An id has at most 128 characters of 2 bytes: these take 1 MB at most, and 100 KB with ids of usual lengths. */
const MOST = 2000;

export class RecentIds {
  /** The least recent one first. */
  readonly #ids = new Set<string>();

  /** Whether an id was added, unless MOST others were after it. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    for (const oldest of this.#ids) {
      if (this.#ids.size <= MOST) return;
      this.#ids.delete(oldest);
    }
  }
}
