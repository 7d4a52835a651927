/** The interface through which code that blocks the isolate's single thread is run, independent of the scheduler. */
import { finish, type Parts } from "./parts.ts";

/**
 * Runs synchronous work when the scheduler gives the thread to this request.
 *
 * @param units About how many milliseconds the work takes. On Cloudflare the clock stands still during computation, so
 *   measured time alone would count as zero.
 */
export type Execute = <T>(units: number, work: () => T) => Promise<T>;

/**
 * Like Execute, for long work: no other request gets the thread from its beginning to its end, but between its parts
 * the event loop may go round, so that a health probe is answered. If another request did get the thread, the work
 * restarts.
 *
 * @param units About how many milliseconds all of it takes.
 */
export type ExecuteInParts = <T>(units: number, work: () => Parts<T>) => Promise<T>;

/** Runs everything at once: for tests, and where only one request is served. */
export const atOnce: Execute = async (_, work) => work();
export const partsAtOnce: ExecuteInParts = async (_, work) => finish(work());
