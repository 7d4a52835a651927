/**
 * The Durable Object with the results, seen from a request. A full disk or a damaged database ends the object itself, at the
 * write that it was about to acknowledge or before its constructor runs: no code in it can catch that, so what has
 * happened is read from the error that comes out here.
 */
import { LabelerError } from "../errors.ts";
import type { Results } from "./object.ts";
import type { PushStatus } from "./push.ts";
import type { NewResult, StoredResult } from "./result.ts";
import type { ListOptions } from "./store.ts";

/** What the runtime says of an error of an object. */
interface ObjectError extends Error {
  readonly overloaded?: boolean;
  readonly retryable?: boolean;
}

/** In seconds: a disk is not emptied sooner. */
const RETRY_STORAGE = 30;

/**
 * What an error of the object means for the caller.
 *
 * @returns Undefined where it is a bug.
 */
export function storageError(error: unknown): LabelerError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, overloaded, retryable } = error as ObjectError;
  const options = { cause: error, retryAfter: RETRY_STORAGE };
  if (/SQLITE_FULL/.test(message)) {
    return new LabelerError(
      "storage-full",
      "The result was not stored, since the disk or the database is full. Free some space, or lower RESULTS_MAX_COUNT.",
      options,
    );
  }
  if (/SQLITE_(CORRUPT|NOTADB|IOERR|READONLY|CANTOPEN|PERM)/.test(message)) {
    return new LabelerError(
      "storage-broken",
      `The database of the results cannot be read or written (${/SQLITE_\w+/.exec(message)?.[0]}); the labeler's log names ` +
        "its folder. Images are labelled as before.",
      options,
    );
  }
  if (overloaded || retryable) {
    return new LabelerError("busy", "The results are busy or being moved. Try again.", { cause: error });
  }
  // A database that cannot even be opened: the runtime keeps the reason for its log.
  if (message.startsWith("internal error")) {
    return new LabelerError(
      "storage-broken",
      "The database of the results cannot be opened; the labeler's log has the reason. Images are labelled as before.",
      options,
    );
  }
  return undefined;
}

async function understood<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const found = storageError(error);
    if (found === undefined) throw error;
    console.error(`${error}`); // an operator may know the words of SQLite
    throw found;
  }
}

/** All methods throw LabelerError of kind storage-full, storage-broken or busy. */
export class RemoteResults {
  readonly #object: DurableObjectStub<Results>;

  constructor(object: DurableObjectStub<Results>) {
    this.#object = object;
  }

  /** Whether there is a result of this id. */
  has(id: string): Promise<boolean> {
    return understood(this.#object.has(id));
  }

  /** Keeps a result unless there is one of its id. @returns Whether it was new. It is on disk then. */
  put(result: NewResult): Promise<boolean> {
    return understood(this.#object.put(result));
  }

  /** The result of this id; null if there is none. */
  get(id: string): Promise<StoredResult | null> {
    return understood(this.#object.get(id));
  }

  list(options: ListOptions): Promise<StoredResult[]> {
    return understood(this.#object.list(options));
  }

  /** Makes sure that results can be read and written now. */
  check(): Promise<void> {
    return understood(this.#object.check());
  }

  /** How far each push target is. */
  pushStatus(): Promise<PushStatus[]> {
    return understood(this.#object.pushStatus());
  }

  /** Tries every target that waits at once. @returns How far each is then. */
  retryPush(): Promise<PushStatus[]> {
    return understood(this.#object.retryPush());
  }
}
