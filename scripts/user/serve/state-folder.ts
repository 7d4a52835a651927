/** Protects a folder that is no state folder from being taken for one: `serve` replaces the folder `worker` in it. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../command-line/command.ts";

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // It does not exist, or what is wrong with it is reported where it is used.
  }
}

/**
 * Recognises a labeler's folder by its lock, or by the configuration of workerd where only process ids are the lock, whose
 * file is removed at the end.
 *
 * @throws CommandError if the folder has a folder `worker` that no labeler made.
 */
export function refuseForeign(state: string): void {
  const worker = join(state, "worker");
  const names = namesIn(worker);
  if (names.length === 0 || names.includes("config.capnp") || existsSync(join(state, "lock"))) return;
  throw new CommandError(
    `${state} is not a labeler's folder: it has a folder worker with other files, which would be replaced. ` +
      `Name another folder with --state, or remove ${worker}.`,
    1,
  );
}
