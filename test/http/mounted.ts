/** Mounts small file systems for tests: one that is full, or one that is read-only. This needs root. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

const mounted: string[] = [];

function tryToMount(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
    mounted.push(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Mounts an empty file system of 4 MB.
 *
 * @returns Whether it could be mounted; where it should have been, in CI, a failure.
 */
export function mountSmall(folder: string): boolean {
  if (tryToMount(folder)) return true;
  if (process.env.CI) throw new Error(`A file system has to be mounted at ${folder}: run the tests as root.`);
  console.warn("Full and read-only disks are not tested: mounting one takes root.");
  return false;
}

/** Lets nobody write to it any more. */
export const makeReadOnly = (folder: string) => execFileSync("mount", ["-o", "remount,ro", folder]);

/** Unmounts all. */
export function unmountAll(): void {
  for (const folder of mounted.splice(0)) execFileSync("umount", ["-l", folder]);
}
