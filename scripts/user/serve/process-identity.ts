/**
 * Identifies a process so that another program can recognise it later: a process id alone is reused, and means a
 * different process in another container.
 */
import { readFileSync, readlinkSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** The start time of the process, in the system's ticks since boot; empty if the system does not report it. */
  readonly began: string;
}

/** The start time of a process; undefined if it is gone or waits to be reaped, or if the system does not report it. */
function beganAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The identity of a running process. */
export const identify = (pid: number): ProcessIdentity => ({ pid, began: beganAt(pid) ?? "" });

/** The scope in which process ids are unique: this boot of the machine, and on Linux this container. */
export function processNamespace(): string {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return "";
  }
}

/** Whether the process runs. */
export function lives({ pid, began }: ProcessIdentity): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (process.platform === "linux") return beganAt(pid) === began;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Blocks this thread. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Kills a process and waits, for at most five seconds, until it is gone: until then it holds its files and its port.
 */
export function endNow(left: ProcessIdentity): void {
  for (let attempt = 0; attempt < 500 && lives(left); attempt++) {
    if (attempt === 0) process.kill(left.pid, "SIGKILL");
    pause(10);
  }
}
