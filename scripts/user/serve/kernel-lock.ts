/**
 * A lock that the kernel holds on an open file. Node has no call for it, so flock(1) of util-linux or busybox takes it on a
 * descriptor that it shares with this process: the lock stays when flock(1) has ended, and until all copies are closed.
 */
import { spawnSync } from "node:child_process";

/**
 * Tries to lock an open file, without waiting.
 *
 * @param descriptor Of a file that is open for writing.
 * @returns "unavailable" where flock(1) is not installed, or the file system does not lock.
 */
export function lockByKernel(descriptor: number): "locked" | "held" | "unavailable" {
  const { error, status, stderr } = spawnSync("flock", ["-x", "-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
  });
  if (error !== undefined) return "unavailable";
  if (status === 0) return "locked";
  // Only a lock that another process holds is not worth a message to flock(1).
  return status === 1 && stderr.length === 0 ? "held" : "unavailable";
}
