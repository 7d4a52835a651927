/** Lists in words. */

/** "exact, fast or quantised". */
export const oneOf = (words: readonly string[]): string => words.join(", ").replace(/, ([^,]*)$/, " or $1");
