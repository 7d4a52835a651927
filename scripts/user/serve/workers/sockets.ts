/** The folder of the unix sockets over which the processes of a labeler reach each other, which is closed to other users. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../../../command-line/command.ts";

/** The longest path of a unix socket on Linux and macOS, in bytes. */
const MOST = 103;

const LONGEST_NAME = "internal-99-9999.sock";

export class Sockets {
  readonly folder: string;

  /**
   * Makes the folder, with mode 0700.
   *
   * @param state A folder to make it in if there is no place for temporary files.
   * @throws CommandError if no place is suitable.
   */
  constructor(state: string) {
    const made = [tmpdir(), state].map(makeIn).find((folder) => folder !== undefined);
    if (made === undefined) {
      throw new CommandError(
        `Several workers reach each other by sockets, for which neither ${tmpdir()} nor ${state} is suitable: the folder ` +
          `has to be writable and its path short. Name another one in TMPDIR, or use --workers 1.`,
        1,
      );
    }
    this.folder = made;
  }

  /** The path of a socket. */
  path(name: string): string {
    return join(this.folder, `${name}.sock`);
  }

  /** Lets only this user connect. */
  protect(path: string): void {
    chmodSync(path, 0o600);
  }

  /** Removes a socket whose process has ended: nobody could listen there again. */
  remove(path: string): void {
    rmSync(path, { force: true });
  }

  /** Removes the folder. */
  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function makeIn(parent: string): string | undefined {
  const prefix = join(parent, "edge-labeler-");
  if (Buffer.byteLength(join(`${prefix}123456`, LONGEST_NAME)) > MOST) return undefined;
  try {
    return mkdtempSync(prefix); // it gives the folder mode 0700
  } catch {
    return undefined;
  }
}
