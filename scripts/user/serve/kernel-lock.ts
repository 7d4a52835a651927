/**
 * A lock that the kernel holds on an open file. Node does not have a call for it, so flock(1) of util-linux or busybox
 * locks a descriptor that it shares with this process: the lock stays after flock(1) has ended, until all copies are
 * closed.
 */
import { spawnSync } from "node:child_process";

/**
 * Tries to lock an open file, without waiting.
 *
 * @param descriptor The descriptor of a file that is open for writing.
 * @returns "unavailable" if flock(1) is not installed, or the file system does not support locks.
 */
export function lockByKernel(descriptor: number): "locked" | "held" | "unavailable" {
  const { error, status, stderr } = spawnSync("flock", ["-x", "-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
  });
  if (error !== undefined) return "unavailable";
  if (status === 0) return "locked";
  // flock(1) is silent only if another process holds the lock.
  return status === 1 && stderr.length === 0 ? "held" : "unavailable";
}
