/** Writes the configuration of workerd for the labeler, after the settings were checked. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bindings, settingsOf } from "../../../worker/settings/settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { oneOfSeveralConfig, STORE_FOLDER, storeConfig } from "../../labeler/several-workers-config.ts";
import { type Declared, workerdConfig } from "../../labeler/workerd-config.ts";
import { refuseCloudflareSettings } from "../cloudflare-settings.ts";
import { refuseUnknown } from "../given-settings.ts";
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

/** The paths of workerd's configurations in the folder of a Worker: for all in one process, and for several workers. */
export const configIn = (folder: string): string => join(folder, "config.capnp");
export const oneOfSeveralIn = (folder: string): string => join(folder, "one-of-several.capnp");
export const storeIn = (folder: string): string => join(folder, STORE_FOLDER, "config.capnp");

/** Limits that several workers divide among themselves. */
export interface DividedLimits {
  readonly MAX_CONCURRENT: number;
  readonly MAX_WAITING: number;
}

/** Settings of the Worker that `serve` needs itself. */
export interface ServedSettings extends DividedLimits {
  readonly DEFAULT_MODEL: string;
}

const settingsIn = (folder: string): string => join(folder, "settings.json");

/** The settings that were configured in the folder of a Worker. */
export const readServedSettings = (folder: string): ServedSettings =>
  JSON.parse(readFileSync(settingsIn(folder), "utf8"));

/**
 * @throws CommandError if a setting does not exist, or if its value or that of a secret in the environment is invalid.
 */
export function checkSettings({ settings }: ServedWorker, { vars }: Declared): void {
  refuseUnknown(settings, vars);
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, process.env[name]]));
  try {
    // The labeler checks them too, but only at its first request.
    refuseCloudflareSettings(settingsOf({ ...vars, ...settings, ...secrets } as unknown as Bindings));
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

/** @param served Its folder must already contain the bundled Worker. */
export function configure({ folder, models, index, results, settings }: ServedWorker, declared: Declared): void {
  const options = { declared, bundle: folder, models, index, state: results, settings, fromEnvironment: SECRETS };
  writeFileSync(configIn(folder), workerdConfig(options));
  writeFileSync(oneOfSeveralIn(folder), oneOfSeveralConfig(options));
  writeFileSync(storeIn(folder), storeConfig({ ...options, bundle: join(folder, STORE_FOLDER) }));
  const { MAX_CONCURRENT, MAX_WAITING, DEFAULT_MODEL } = settingsOf({
    ...declared.vars,
    ...settings,
  } as unknown as Bindings);
  const served: ServedSettings = { MAX_CONCURRENT, MAX_WAITING, DEFAULT_MODEL };
  writeFileSync(settingsIn(folder), JSON.stringify(served));
}
