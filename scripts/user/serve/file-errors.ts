/** How an operator can fix errors of the file system that `serve` meets. */
import { resolve, sep } from "node:path";
import { CommandError } from "../../command-line/command.ts";
import { explainFileError, isSystemError } from "../../command-line/file-errors.ts";

/** Whether a file cannot be written in this place, although it may be possible elsewhere. */
export const cannotBeWritten = (error: unknown): boolean =>
  isSystemError(error) && ["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT"].includes(error.code ?? "");

const isWithin = (folder: string, path: string): boolean => `${resolve(path)}${sep}`.startsWith(`${folder}${sep}`);

const OTHER = "name another folder with --state";

/**
 * Adds a sentence with the fix to an error of the file system.
 *
 * @param state The state folder, which is the only one that could be another one.
 * @returns A CommandError if the operator can fix the cause, else the error unchanged.
 */
export function fileError(error: unknown, state: string): unknown {
  if (!isSystemError(error)) return error;
  const { code, syscall } = error;
  const path = error.dest ?? error.path ?? state;
  // Any other file that is missing has nothing to do with the folder.
  if (code === "ENOENT" && syscall === "mkdir") {
    return new CommandError(`${path} cannot be made there. Name another folder with --state.`, 1);
  }
  const text = explainFileError(error, state, isWithin(state, path) ? OTHER : undefined);
  return text === undefined ? error : new CommandError(text, 1);
}
