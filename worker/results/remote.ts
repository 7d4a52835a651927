/**
 * Calls the Durable Object with the results from a request. A full disk or a damaged database ends the object itself,
 * at the write that it was about to acknowledge or before its constructor runs. No code in the object can catch that,
 * so the cause is read from the error that arrives here.
 */
import { LabelerError } from "../errors.ts";
import type { ErasedPart } from "./object.ts";
import type { PushStatus } from "./push.ts";
import type { NewResult, Selection, StoredResult } from "./result.ts";
import type { ResultsApi } from "./results-api.ts";
import { NEWER } from "./schema.ts";
import type { ListOptions } from "./store.ts";

/** The properties that the runtime adds to an error of an object. */
interface ObjectError extends Error {
  readonly overloaded?: boolean;
  readonly retryable?: boolean;
}

/** After how many seconds to retry: a disk is not emptied sooner. */
const RETRY_STORAGE = 30;

/**
 * Translates an error of the object into one for the caller.
 *
 * @returns Undefined if the error is a bug.
 */
export function storageError(error: unknown): LabelerError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, overloaded, retryable } = error as ObjectError;
  const options = { cause: error, retryAfter: RETRY_STORAGE };
  if (message.includes(NEWER)) return new LabelerError("storage-broken", message, options);
  if (/SQLITE_FULL/.test(message)) {
    return new LabelerError(
      "storage-full",
      "Nothing was written, since the disk or the database is full. Free some space, or lower RESULTS_MAX_COUNT.",
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
  // The database cannot be opened at all; the runtime writes the reason only to its log.
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
    console.error(`${error}`); // an operator may recognise SQLite's message
    throw found;
  }
}

/** All methods throw LabelerError of kind storage-full, storage-broken or busy. */
export class RemoteResults {
  readonly #object: ResultsApi;

  constructor(object: ResultsApi) {
    this.#object = object;
  }

  /** Whether there is a result with this id. */
  has(id: string): Promise<boolean> {
    return understood(this.#object.has(id));
  }

  /** Stores a result unless its id is already there. @returns Whether it was new; it is then on disk. */
  put(result: NewResult): Promise<boolean> {
    return understood(this.#object.put(result));
  }

  /** The result with this id; null if there is none. */
  get(id: string): Promise<StoredResult | null> {
    return understood(this.#object.get(id));
  }

  list(options: ListOptions): Promise<StoredResult[]> {
    return understood(this.#object.list(options));
  }

  /**
   * Erases the results that fit a selection, part by part, so that other calls are not delayed.
   *
   * @param progress Is told the number of each part that is erased on disk.
   */
  async erase(selection: Selection, progress: (count: number) => void): Promise<void> {
    for (let after: number | null = 0; after !== null; ) {
      const part: ErasedPart = await understood(this.#object.erase(selection, after));
      progress(part.count);
      after = part.after;
    }
  }

  /** Checks that results can be read and written now. */
  check(): Promise<void> {
    return understood(this.#object.check());
  }

  /** The progress of each push target. */
  pushStatus(): Promise<PushStatus[]> {
    return understood(this.#object.pushStatus());
  }

  /** Tries every pending target at once. @returns The progress of each after that. */
  retryPush(): Promise<PushStatus[]> {
    return understood(this.#object.retryPush());
  }
}
