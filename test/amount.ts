/**
 * How often a test repeats what is of the same kind: fully in CI, and less elsewhere, so that `npm test` takes minutes. Every
 * kind is tested everywhere.
 */

/** @param full The number in CI. @param less The number elsewhere. */
export const amount = (full: number, less: number): number => (process.env.CI ? full : less);
