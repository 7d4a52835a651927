/**
 * Tracks whether an object's storage accepts writes. A write that fails ends the object before its code could record
 * the failure, so the isolate records the writes that succeeded instead.
 */

/** How long a successful write counts as proof, in milliseconds: each check is a write on what may be an SD card. */
const BELIEVED = 600_000;

/** About the size of a result with its indices, in bytes. */
const BYTES = 32_768;

const SCHEMA = "CREATE TABLE IF NOT EXISTS write_check (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)";

/** The time of the last successful write by the object's id, in milliseconds. */
const written = new Map<string, number>();

export class WriteCheck {
  readonly #storage: DurableObjectStorage;
  readonly #object: string;

  constructor(storage: DurableObjectStorage, object: string) {
    this.#storage = storage;
    this.#object = object;
  }

  /** Call it before a write. */
  begin(): void {
    written.delete(this.#object);
  }

  /** Call it after a write: waits until the data are on disk. */
  async end(now: number): Promise<void> {
    await this.#storage.sync();
    written.set(this.#object, now);
  }

  /** Writes test data unless a write succeeded recently. @throws Whatever the storage throws. */
  async check(now: number): Promise<void> {
    const last = written.get(this.#object);
    if (last !== undefined && Math.abs(now - last) < BELIEVED) return;
    this.begin();
    this.#storage.sql.exec(SCHEMA);
    this.#storage.sql.exec("INSERT OR REPLACE INTO write_check VALUES (1, randomblob(?))", BYTES);
    await this.end(now);
  }
}
