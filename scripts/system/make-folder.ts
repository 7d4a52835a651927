/** Makes folders below others that need not exist. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Like mkdirSync() with `recursive`, which never returns where the system denies that a folder which exists can have
 * others, as that of Node 20 does below /proc.
 *
 * @param mode Of each folder that is made.
 * @throws The system's error, such as EACCES, or EEXIST if there is a file in the place of the folder.
 */
export function makeFolder(folder: string, mode = 0o777): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Another process has made it meanwhile.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
