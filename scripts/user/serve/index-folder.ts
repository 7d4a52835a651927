/** Where the index of the models is kept: beside them, or in the state folder where theirs cannot be written. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { cannotBeWritten } from "./file-errors.ts";

/**
 * @param aside The folder that takes the index of a folder of models that cannot be written; made if need be.
 * @returns Undefined where the index can be beside the models.
 */
export function indexFolder(models: string, aside: string): string | undefined {
  try {
    closeSync(openSync(join(models, "index.json"), "a")); // as it is, or empty until it is written
    return undefined;
  } catch (error) {
    if (!cannotBeWritten(error)) return undefined; // what is wrong with the folder is said when it is read
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    return aside;
  }
}
