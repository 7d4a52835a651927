/** A lock among processes of this machine: a file with the process id of its holder. */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

const isLinked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (error: { code?: string }) => {
      if (error.code !== "EEXIST") throw error;
      return false;
    },
  );

/**
 * Waits until the lock is free, and takes it. The lock of a process that has died is free.
 *
 * @returns The function that releases it.
 */
export async function holdLock(file: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  // The file is linked to its name when it already contains the process id, so that a lock always has a holder.
  const own = `${file}.${process.pid}.${randomUUID()}`;
  await writeFile(own, String(process.pid));
  try {
    while (!(await isLinked(own, file))) {
      signal?.throwIfAborted();
      const holder = Number(await readFile(file, "utf8").catch(() => process.pid));
      if (lives(holder)) await sleep(200);
      else await rm(file, { force: true });
    }
  } finally {
    await rm(own);
  }
  const giveBack = () => {
    try {
      if (readFileSync(file, "utf8") === String(process.pid)) rmSync(file);
    } catch {
      // It is already gone.
    }
  };
  process.once("exit", giveBack);
  return async () => {
    process.off("exit", giveBack);
    giveBack();
  };
}
