/**
 * Replaces the commands of a checkout in the texts of a package: `npm run model -- list` becomes `edge-labeler model list`.
 */

const COMMANDS = /\bnpm run (serve|label|model|ekuiper|token)\b(?!:)(?: --(?=[\s.`"'),]))?/g;

/** @param text Of a program, or of what it prints. */
export const renameCommands = (text: string): string => text.replace(COMMANDS, "edge-labeler $1");
