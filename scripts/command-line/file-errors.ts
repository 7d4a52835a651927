/** How a user can fix errors of the file system. */
import { userInfo } from "node:os";

function user(): string {
  try {
    return userInfo().username;
  } catch {
    return `${process.getuid?.()}`; // In a container a user may have no name.
  }
}

const denied = (path: string): string => `The user ${user()} lacks permissions for ${path}.`;
const GRANT = "Let that user write there, or run the command as its owner.";

/** What is wrong with a path, and how to fix it if it has to be that path. */
const CAUSES: Readonly<Record<string, (path: string) => readonly [cause: string, fix: string]>> = {
  EROFS: (path) => [`${path} is on a read-only file system.`, ""],
  EACCES: (path) => [denied(path), GRANT],
  EPERM: (path) => [denied(path), GRANT],
  ENOTDIR: (path) => [`${path} is, or is below, a file, and has to be a folder.`, ""],
  EEXIST: (path) => [`${path} is a file, and has to be a folder.`, ""],
  EISDIR: (path) => [`${path} is a folder, and has to be a file.`, ""],
  ENOSPC: (path) => [`There is no space left for ${path}.`, "Free some."],
  EDQUOT: (path) => [`The user ${user()} has no space left for ${path}.`, "Free some, or raise the quota."],
  EIO: (path) => [`The disk of ${path} fails.`, "Check it."],
  EMFILE: (path) => [`There are too many open files to open ${path}.`, "Raise the limit: ulimit -n."],
};

type SystemError = NodeJS.ErrnoException & { readonly dest?: string };

export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && typeof (error as SystemError).code === "string";

/**
 * @param unnamed The path, if the error does not name it.
 * @param other Another fix, such as "name another folder with --out".
 * @returns A cause and a fix of what the user can fix; undefined for any other error.
 */
export function explainFileError(error: unknown, unnamed = "a file", other?: string): string | undefined {
  if (!isSystemError(error)) return undefined;
  const path = error.path === undefined ? unnamed : [error.path, error.dest].filter(Boolean).join(" or ");
  const [cause, fix] = CAUSES[error.code ?? ""]?.(path) ?? [];
  if (cause === undefined) return undefined;
  const instead = other && (fix ? `Or ${other}.` : `${other[0].toUpperCase()}${other.slice(1)}.`);
  return [cause, fix, instead].filter(Boolean).join(" ");
}
