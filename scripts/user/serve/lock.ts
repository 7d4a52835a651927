/**
 * Ensures that a state folder belongs to one labeler: two would keep two retentions and two push positions on the same
 * SQLite files. The kernel holds the lock, on the file `lock`: it ends with the processes that have the file open, even
 * after a power cut, and holds between containers that share the folder. workerd inherits the open file, so that the
 * folder is locked until workerd has ended, too. The process ids in the file serve only messages, and to end a workerd
 * whose supervisor was killed. If the kernel's lock is not available, the process ids are the lock.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../command-line/command.ts";
import { lockByKernel } from "./kernel-lock.ts";
import { endNow, identify, lives, type ProcessIdentity, pause, processNamespace } from "./process-identity.ts";

interface LockRecord {
  readonly owner: ProcessIdentity;
  /** The workerd that the owner runs, and has the results open. */
  readonly workerd?: ProcessIdentity;
  /** Other processes that the owner runs. */
  readonly others?: readonly ProcessIdentity[];
  /** The scope in which the process ids are valid; absent in the records of former releases. */
  readonly namespace?: string;
  /** Whether the owner also holds the kernel's lock; former releases did not use it. */
  readonly kernel?: boolean;
}

/** How long a killed labeler may take to end and free its lock, in milliseconds. */
const PATIENCE = 3000;
const LOOK_AGAIN = 50;

function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, began } = (value ?? {}) as Partial<ProcessIdentity>;
  return typeof pid === "number" && typeof began === "string";
}

/** Undefined if the file does not contain a record: it is new, or a power cut has left it empty. */
function readRecord(path: string): LockRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8"));
    if (!isIdentity(record?.owner)) return undefined;
    const others = Array.isArray(record.others) ? record.others.filter(isIdentity) : [];
    return { ...record, workerd: isIdentity(record.workerd) ? record.workerd : undefined, others };
  } catch {
    return undefined;
  }
}

/** The processes that a killed labeler may have left. */
const leftBehind = ({ workerd, others = [] }: LockRecord): readonly ProcessIdentity[] =>
  workerd === undefined ? others : [workerd, ...others];

export class StateLock {
  /** The open file; workerd inherits it. */
  readonly descriptor: number;
  readonly #path: string;
  readonly #byKernel: boolean;

  private constructor(path: string, descriptor: number, byKernel: boolean) {
    this.#path = path;
    this.descriptor = descriptor;
    this.#byKernel = byKernel;
  }

  /**
   * Locks the folder, and ends the workerd of a labeler that was killed there.
   *
   * @throws CommandError if the folder belongs to another labeler.
   */
  static take(folder: string): StateLock {
    const path = join(folder, "lock");
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const byKernel = StateLock.#acquire(path, folder, descriptor);
      const lock = new StateLock(path, descriptor, byKernel);
      lock.#write();
      if (!byKernel) lock.#confirm(folder);
      return lock;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** @returns Whether the kernel holds the lock. */
  static #acquire(path: string, folder: string, descriptor: number): boolean {
    const namespace = processNamespace();
    const isHere = (record: LockRecord) => record.namespace === undefined || record.namespace === namespace;
    for (let waited = 0; ; waited += LOOK_AGAIN) {
      const kernel = lockByKernel(descriptor);
      const record = readRecord(path);
      const owner = record !== undefined && isHere(record) && lives(record.owner) ? record.owner : undefined;
      // A live owner without the kernel's lock is of a former release, or could not get that lock.
      if (owner !== undefined && (kernel !== "locked" || record?.kernel !== true)) {
        throw inUse(folder, `process ${owner.pid}`);
      }
      if (record !== undefined && isHere(record)) leftBehind(record).forEach(endNow);
      if (kernel === "locked") return true;
      if (kernel === "unavailable") return false;
      if (waited >= PATIENCE) throw inUse(folder, "a labeler in another container or on another machine");
      pause(LOOK_AGAIN);
    }
  }

  /** Without the kernel's lock, two that start at once may both have written: the last writer owns the folder. */
  #confirm(folder: string): void {
    console.warn(
      "flock(1) is not installed, or does not work here: only process ids guard the state folder, and those mean nothing " +
        "to another container. Let only one labeler use it.",
    );
    pause(100);
    const owner = readRecord(this.#path)?.owner;
    if (owner?.pid !== process.pid) throw inUse(folder, "another labeler that starts");
  }

  /** Records which workerd uses the folder now. @param others Further processes that have to end with this one. */
  note(workerd: number | undefined, others: readonly number[] = []): void {
    this.#write(workerd === undefined ? undefined : identify(workerd), others.map(identify));
  }

  #write(workerd?: ProcessIdentity, others: readonly ProcessIdentity[] = []): void {
    const record: LockRecord = {
      owner: identify(process.pid),
      ...(workerd && { workerd }),
      ...(others.length > 0 && { others }),
      namespace: processNamespace(),
      kernel: this.#byKernel,
    };
    try {
      // Written in place: a file that replaced this one would not be locked.
      ftruncateSync(this.descriptor);
      writeSync(this.descriptor, JSON.stringify(record), 0);
    } catch (error) {
      if (!this.#byKernel) throw error; // Otherwise the record only serves messages, and a full disk is not a reason to stop.
    }
  }

  /**
   * Frees the folder when workerd has ended. The kernel does so by itself, and the file stays: if it were removed, a
   * start that waits for its lock would lock a file without a name.
   */
  release(): void {
    if (!this.#byKernel) rmSync(this.#path, { force: true });
  }
}

const inUse = (folder: string, who: string) =>
  new CommandError(`The state folder ${folder} is in use by ${who}. Stop it, or name another folder with --state.`, 1);
