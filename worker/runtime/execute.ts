/** When synchronous work runs: whoever computes for long gets an Execute and hands its work over in stretches. */

/**
 * Runs synchronous work when it is this request's turn on the isolate's one thread.
 *
 * @param units About how many milliseconds the work takes.
 */
export type Execute = <T>(units: number, work: () => T) => Promise<T>;

/** Runs work at once: for tests, and where nobody else waits. */
export const atOnce: Execute = async (_, work) => work();
