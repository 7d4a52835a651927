/** The names of the ways to choose the scale of a JPEG, for queries and descriptions; imports nothing. */

/**
 * `auto`: a smaller scale where a JPEG is much larger than what is wanted (geometry.ts, chooseScale). `full`: its full
 * size, if memory allows.
 */
export const SCALES = ["auto", "full"] as const;
export type Scale = (typeof SCALES)[number];
