/**
 * Replaces the commands of a checkout in the texts of a package: `npm run model -- list` becomes `edge-labeler model list`.
 */

/** Behind `\\n` in the text of a program the name has no boundary of its own. */
const COMMANDS = /(?:\b|(?<=\\n))npm run (serve|label|model|ekuiper|token)\b(?!:)(?: --(?=[\s.`"'),]))?/g;

/** @param text Of a program, or of what it prints. */
export const renameCommands = (text: string): string => text.replace(COMMANDS, "edge-labeler $1");
