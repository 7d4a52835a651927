/** A lock among processes of this machine: a file with the number of the process that holds it. */
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
 * Waits until nobody holds the lock, and takes it. A lock whose process has died counts for nothing.
 * @returns what gives it back
 */
export async function holdLock(file: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  // Linked under its name with the number in it: nobody ever sees a lock without a holder.
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
      // It is gone already.
    }
  };
  process.once("exit", giveBack);
  return async () => {
    process.off("exit", giveBack);
    giveBack();
  };
}
