/** The folder of the unix sockets over which the processes of a labeler reach each other, which is closed to other users. */
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../../../command-line/command.ts";
import { identify, lives, type ProcessIdentity, processNamespace } from "../process-identity.ts";

/** The longest path of a unix socket on Linux and macOS, in bytes. */
const MOST = 103;

const LONGEST_NAME = "internal-99-9999.sock";

const PREFIX = "edge-labeler-";
/** The names that mkdtemp() gives. */
const NAME = /^edge-labeler-[0-9A-Za-z]{6}$/;

/** The file that names the process which made a folder. */
const HOLDER = "holder";

interface Holder extends ProcessIdentity {
  readonly namespace: string;
}

export class Sockets {
  readonly folder: string;

  /**
   * Makes the folder, with mode 0700, and removes those of processes that were killed.
   *
   * @param state A folder to make it in if there is no place for temporary files.
   * @throws CommandError if no place is suitable.
   */
  constructor(state: string) {
    const parents = [tmpdir(), state];
    for (const parent of parents) removeStale(parent);
    const made = parents.map(makeIn).find((folder) => folder !== undefined);
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
  const prefix = join(parent, PREFIX);
  if (Buffer.byteLength(join(`${prefix}123456`, LONGEST_NAME)) > MOST) return undefined;
  try {
    const folder = mkdtempSync(prefix); // it gives the folder mode 0700
    const holder: Holder = { ...identify(process.pid), namespace: processNamespace() };
    writeFileSync(join(folder, HOLDER), JSON.stringify(holder), { mode: 0o600 });
    return folder;
  } catch {
    return undefined;
  }
}

/** Removes the folders of this user whose process has ended without removing them. */
function removeStale(parent: string): void {
  try {
    for (const name of readdirSync(parent)) {
      if (NAME.test(name) && isStale(join(parent, name))) rmSync(join(parent, name), { recursive: true, force: true });
    }
  } catch {
    // They take little room, and are no reason not to start.
  }
}

function isStale(folder: string): boolean {
  try {
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o777) !== 0o700) return false;
    const { pid, began, namespace }: Holder = JSON.parse(readFileSync(join(folder, HOLDER), "utf8"));
    // The ids of another container's processes mean nothing here.
    return namespace === processNamespace() && !lives({ pid, began });
  } catch {
    return false; // it is being made or removed, or is not such a folder
  }
}
