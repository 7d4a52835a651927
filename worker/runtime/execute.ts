/** How code that blocks the isolate's one thread is run, without knowing who schedules it. */
import { finish, type Parts } from "./parts.ts";

/**
 * Runs synchronous work when it is this request's turn.
 *
 * @param units About how many milliseconds the work takes. On Cloudflare the clock stands still during computation, so
 *   that measured time alone would count nothing.
 */
export type Execute = <T>(units: number, work: () => T) => Promise<T>;

/**
 * As Execute, for work that takes long: it has the thread to itself from its beginning to its end, but between its parts
 * the event loop may go round, so that a probe is answered. If another request had the thread meanwhile, it begins anew.
 *
 * @param units About how many milliseconds all of it takes.
 */
export type ExecuteInParts = <T>(units: number, work: () => Parts<T>) => Promise<T>;

/** Runs everything at once: for tests, and where nobody else is served. */
export const atOnce: Execute = async (_, work) => work();
export const partsAtOnce: ExecuteInParts = async (_, work) => finish(work());
