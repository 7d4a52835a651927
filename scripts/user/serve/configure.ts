/** Writes what workerd is told of the labeler, once its settings are known to be right. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bindings, settingsOf } from "../../../worker/settings/settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { type Declared, workerdConfig } from "../../labeler/workerd-config.ts";
import { SECRETS } from "../secrets.ts";

export interface ServedWorker {
  /** Where the bundled Worker is to be, and its configuration beside it. */
  readonly folder: string;
  readonly models: string;
  /** The folder of index.json, where the folder of models cannot be written. */
  readonly index?: string | undefined;
  readonly results: string;
  /** Settings that differ from those that are declared. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The configuration of workerd, in the folder of a Worker. */
export const configIn = (folder: string): string => join(folder, "config.capnp");

/** @throws CommandError if there is no such setting, or it or a secret of the environment has no such value. */
export function checkSettings({ settings }: ServedWorker, { vars }: Declared): void {
  const unknown = Object.keys(settings).filter((name) => !Object.hasOwn(vars, name));
  if (unknown.length > 0) {
    throw new CommandError(`There is no setting ${unknown.join(", ")}. There are: ${Object.keys(vars).join(", ")}.`);
  }
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, process.env[name]]));
  try {
    // The labeler checks them too, but only when it is asked for something.
    settingsOf({ ...vars, ...settings, ...secrets } as unknown as Bindings);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

/** @param served Its folder has the bundled Worker already. */
export function configure({ folder, models, index, results, settings }: ServedWorker, declared: Declared): void {
  const config = workerdConfig({
    declared,
    bundle: folder,
    models,
    index,
    state: results,
    settings,
    fromEnvironment: SECRETS,
  });
  writeFileSync(configIn(folder), config);
}
