/**
 * Knows whether the storage of an object takes what is written. A write that fails ends the object before any code of it
 * could note that; so what is noted, in the isolate, are the writes that did not fail.
 */

/** How long a write that went well is believed, in milliseconds: each check is a write on what may be an SD card. */
const BELIEVED = 600_000;

/** About what a result takes, with its indices. */
const BYTES = 32_768;

const SCHEMA = "CREATE TABLE IF NOT EXISTS write_check (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)";

/** When the storage of an object last took something, by the object's id, in milliseconds. */
const written = new Map<string, number>();

export class WriteCheck {
  readonly #storage: DurableObjectStorage;
  readonly #object: string;

  constructor(storage: DurableObjectStorage, object: string) {
    this.#storage = storage;
    this.#object = object;
  }

  /** Before something is written. */
  begin(): void {
    written.delete(this.#object);
  }

  /** After something was written: waits until it is on disk. */
  async end(now: number): Promise<void> {
    await this.#storage.sync();
    written.set(this.#object, now);
  }

  /** Writes something unless that went well not long ago. @throws what the storage says. */
  async check(now: number): Promise<void> {
    const last = written.get(this.#object);
    if (last !== undefined && Math.abs(now - last) < BELIEVED) return;
    this.begin();
    this.#storage.sql.exec(SCHEMA);
    this.#storage.sql.exec("INSERT OR REPLACE INTO write_check VALUES (1, randomblob(?))", BYTES);
    await this.end(now);
  }
}
