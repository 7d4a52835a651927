/** Writes the configuration of workerd for the labeler, after the settings were checked. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bindings, settingsOf } from "../../../worker/settings/settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { type Declared, workerdConfig } from "../../labeler/workerd-config.ts";
import { SECRETS } from "../secrets.ts";

export interface ServedWorker {
  /** The folder for the bundled Worker and its configuration. */
  readonly folder: string;
  readonly models: string;
  /** The folder of index.json, if the folder of models is not writable. */
  readonly index?: string | undefined;
  readonly results: string;
  /** Settings that differ from the declared ones. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The path of workerd's configuration in the folder of a Worker. */
export const configIn = (folder: string): string => join(folder, "config.capnp");

/**
 * @throws CommandError if a setting does not exist, or if its value or that of a secret in the environment is invalid.
 */
export function checkSettings({ settings }: ServedWorker, { vars }: Declared): void {
  const unknown = Object.keys(settings).filter((name) => !Object.hasOwn(vars, name));
  if (unknown.length > 0) {
    throw new CommandError(`There is no setting ${unknown.join(", ")}. There are: ${Object.keys(vars).join(", ")}.`);
  }
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, process.env[name]]));
  try {
    // The labeler checks them too, but only at its first request.
    settingsOf({ ...vars, ...settings, ...secrets } as unknown as Bindings);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

/** @param served Its folder must already contain the bundled Worker. */
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
