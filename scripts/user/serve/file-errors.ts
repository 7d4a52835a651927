/** How an operator can fix errors of the file system, in one sentence each. */
import { userInfo } from "node:os";
import { CommandError } from "../../command-line/command.ts";

const OTHER = "Name another folder with --state";
function user(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.getuid?.()}`; // In a container a user may have no name.
  }
}

const SENTENCES: Readonly<Record<string, (path: string) => string>> = {
  EROFS: (path) => `${path} is on a read-only file system. ${OTHER}.`,
  EACCES: (path) => `The user ${user()} may not write to ${path}. ${OTHER}, or let that user write there.`,
  EPERM: (path) => `The user ${user()} may not write to ${path}. ${OTHER}, or let that user write there.`,
  EEXIST: (path) => `${path} is a file, and has to be a folder. ${OTHER}.`,
  ENOTDIR: (path) => `${path} is, or is below, a file, and has to be a folder. ${OTHER}.`,
  EISDIR: (path) => `${path} is a folder, and has to be a file. Remove it.`,
  ENOENT: (path) => `${path} cannot be made there. ${OTHER}.`,
  ENOSPC: (path) => `There is no space left for ${path}. Free some. Or name a folder on another disk with --state.`,
  EDQUOT: (path) => `The user ${user()} has no space left for ${path}. Free some, or raise the quota.`,
  EIO: (path) => `The disk of ${path} fails. Check it. Or name a folder on another disk with --state.`,
  EMFILE: (path) => `There are too many open files to open ${path}. Raise the limit: ulimit -n.`,
};

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string";

/** Whether a file cannot be written in this place, although it may be possible elsewhere. */
export const cannotBeWritten = (error: unknown): boolean =>
  isSystemError(error) && ["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT"].includes(error.code ?? "");

/**
 * Adds a sentence with the fix to an error of the file system.
 *
 * @param folder The folder of the file, if the error does not name it.
 * @returns A CommandError if the operator can fix the cause, else the error unchanged.
 */
export function fileError(error: unknown, folder: string): unknown {
  if (!isSystemError(error)) return error;
  const sentence = SENTENCES[error.code ?? ""];
  // Any other file that is missing has nothing to do with the folder.
  if (sentence === undefined || (error.code === "ENOENT" && error.syscall !== "mkdir")) return error;
  return new CommandError(sentence(error.path ?? folder), 1);
}
