/** How much a head can be taught. */

/** Photos: the time to teach grows with their cube, and the memory with their square. */
export const MOST_EXAMPLES = 1000;

export const MOST_CLASSES = 250;
