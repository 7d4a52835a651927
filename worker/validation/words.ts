/** Lists and numbers in words. */

/** "16,777,216". */
export const group = (n: number): string => n.toLocaleString("en-US");

/** "exact, fast or quantised". */
export const oneOf = (words: readonly string[]): string => words.join(", ").replace(/, ([^,]*)$/, " or $1");
