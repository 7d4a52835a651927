/**
 * A state folder belongs to one labeler: two processes on the same SQLite files would fail each other's writes. The lock
 * is a file with the process ids in it, so that one that was left behind by a crash is known as such.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../lib/command.ts";

interface Owner {
  readonly pid: number;
  /** When the process began, as the system counts: a process id is given again. */
  readonly began: string;
}

interface Lock {
  readonly owner: Owner;
  /** The workerd that it runs, which a killed owner leaves behind. */
  readonly workerd?: Owner;
}

/** Undefined where the process is gone or the system does not tell. */
function beganAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function lives({ pid, began }: Owner): boolean {
  if (process.platform === "linux") return beganAt(pid) === began;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Kills a process and waits for its end: until then it has its files and its port. */
function endNow(left: Owner): void {
  for (let attempt = 0; attempt < 500 && lives(left); attempt++) {
    if (attempt === 0) process.kill(left.pid, "SIGKILL");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

const owner = (pid: number): Owner => ({ pid, began: beganAt(pid) ?? "" });

export class StateLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws CommandError if another labeler that lives has the folder. */
  static take(folder: string): StateLock {
    const path = join(folder, "lock");
    const mine = join(folder, `lock.${process.pid}`);
    writeFileSync(mine, JSON.stringify({ owner: owner(process.pid) } satisfies Lock));
    try {
      for (let attempt = 0; attempt < 3; attempt++) {
        try {
          linkSync(mine, path); // fails if it is there
          return new StateLock(path);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
        StateLock.#clear(path, folder);
      }
      throw new CommandError(`The state folder ${folder} is being taken by another labeler.`, 1);
    } finally {
      rmSync(mine, { force: true });
    }
  }

  /** Removes a lock that a crash left behind, and ends the workerd that was left with it. */
  static #clear(path: string, folder: string): void {
    const aside = `${path}.stale.${process.pid}`;
    let lock: Lock;
    try {
      lock = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw new CommandError(`${path} cannot be read. If no labeler uses ${folder}, remove it.`, 1);
    }
    if (lives(lock.owner)) {
      throw new CommandError(
        `The state folder ${folder} is in use by process ${lock.owner.pid}. Stop it, or name another folder with --state.`,
        1,
      );
    }
    renameSync(path, aside);
    rmSync(aside);
    if (lock.workerd !== undefined) endNow(lock.workerd);
  }

  /** Notes which workerd uses the folder now. */
  note(workerd: number): void {
    const next = `${this.#path}.next`;
    writeFileSync(next, JSON.stringify({ owner: owner(process.pid), workerd: owner(workerd) } satisfies Lock));
    renameSync(next, this.#path);
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }
}
