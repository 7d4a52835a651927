/** Finds a model by the name that a user gives. */
import type { IndexEntry } from "../../../worker/model/index-entry.ts";
import { CommandError } from "../../command-line/command.ts";

/** @throws CommandError if there is no model of this name. */
export function findModel(entries: readonly IndexEntry[], name: string): IndexEntry {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw new CommandError(`There is no model "${name}"; npm run model -- list shows what there is.`, 1);
}
