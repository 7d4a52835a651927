/** How code that blocks the isolate's one thread is run, without knowing who schedules it. */

/**
 * Runs synchronous work when it is this request's turn.
 *
 * @param units About how many milliseconds the work takes. On Cloudflare the clock stands still during computation, so
 *   that measured time alone would count nothing.
 */
export type Execute = <T>(units: number, work: () => T) => Promise<T>;

/** Runs everything at once: for tests, and where nobody else is served. */
export const atOnce: Execute = async (_, work) => work();
