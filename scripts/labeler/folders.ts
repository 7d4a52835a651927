/**
 * Where the commands of a checkout find workerd, the models and the state. A package has folders.packaged.ts in the place
 * of this file.
 */
import { createRequire } from "node:module";
import { MODELS } from "../build/model-files.ts";
import { fromUser } from "../command-line/command.ts";

/** The path of workerd's program. */
export const workerdProgram = (): string => createRequire(import.meta.url)("workerd").default;

/** A folder that the environment names, as the user means it. */
function fromEnvironment(name: string): string | undefined {
  const folder = process.env[name];
  return folder ? fromUser(folder) : undefined;
}

/** The folder of models unless a command is told another one; a path from the folder of the checkout, where npm runs. */
export const modelsFolder: string = fromEnvironment("LABELER_MODELS") ?? MODELS;

/** The state folder unless `serve` is told another one. */
export const stateFolder: string = fromEnvironment("LABELER_STATE") ?? "state";

/** The folder of models for a command that only reads them. */
export const modelsToRead = (): string => modelsFolder;

/** The folder of models for a command that changes them, or that serves them while they change. */
export const modelsToChange = (): string => modelsFolder;
