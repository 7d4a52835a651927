/** Chooses the folder for the index of the models: their own, or the state folder if their own is not writable. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { cannotBeWritten } from "./file-errors.ts";

/**
 * @param aside The folder for the index if the folder of models is not writable; it is created if necessary.
 * @returns Undefined if the index can be stored beside the models.
 */
export function indexFolder(models: string, aside: string): string | undefined {
  try {
    closeSync(openSync(join(models, "index.json"), "a")); // The index as it is, or empty until it is written.
    return undefined;
  } catch (error) {
    if (!cannotBeWritten(error)) return undefined; // Reading the folder reports the error.
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    return aside;
  }
}
