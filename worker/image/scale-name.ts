/** The names of the ways to choose the scale of a JPEG, for queries and descriptions; it imports nothing. */

/**
 * `auto`: a smaller scale if a JPEG is much larger than the target (geometry.ts, chooseScale). `full`: the full size,
 * if memory allows.
 */
export const SCALES = ["auto", "full"] as const;
export type Scale = (typeof SCALES)[number];
