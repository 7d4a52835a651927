/**
 * The settings that `npm start` passes to wrangler: wrangler itself reads wrangler.toml, .dev.vars and the command
 * line, but not the secrets of the environment, so these are passed in a file.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { type Bindings, settingsOf } from "../../../worker/settings/settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { refuseCloudflareSettings } from "../cloudflare-settings.ts";
import { refuseUnknown, settingsFrom } from "../given-settings.ts";
import { SECRETS } from "../secrets.ts";

/** The settings in arguments such as `--var NAME:VALUE`, `--var=NAME:VALUE` or `--var NAME:VALUE NAME:VALUE`. */
function settingsIn(args: readonly string[]): Record<string, string> {
  const texts: string[] = [];
  let isValue = false;
  for (const arg of args) {
    if (arg.startsWith("-")) isValue = /^--var(=|$)/.test(arg);
    if (isValue && arg !== "--var") texts.push(arg.replace(/^--var=/, ""));
  }
  return settingsFrom(texts);
}

const secretsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(SECRETS.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));

/** The files in which wrangler looks for secrets by default: .dev.vars, or without it .env and .env.local. */
function defaultFiles(environment: string | undefined): string[] {
  const own = [...(environment === undefined ? [] : [`.dev.vars.${environment}`]), ".dev.vars"].find(existsSync);
  if (own !== undefined) return [own];
  const suffixes = environment === undefined ? [] : [`.${environment}`, `.${environment}.local`];
  return ["", ".local", ...suffixes].map((suffix) => `.env${suffix}`).filter(existsSync);
}

export interface StartEnvironment {
  /** The settings under [vars] in wrangler.toml. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** The files of --env-file, which replace the default ones. */
  readonly files: readonly string[];
  /** The name after --env, if any. */
  readonly environment: string | undefined;
}

/**
 * Checks the settings, so that an invalid one is reported at once instead of in each response.
 *
 * @returns Arguments of wrangler, and a function that removes the file that they name; the file holds the secrets of
 *   the environment.
 * @throws CommandError that names the setting.
 */
export function passSecretsOn(
  args: readonly string[],
  { vars, files, environment }: StartEnvironment,
  env: NodeJS.ProcessEnv = process.env,
): { args: string[]; remove: () => void } {
  const read = files.length > 0 ? files.filter(existsSync) : defaultFiles(environment);
  const inFiles = Object.assign({}, ...read.map((file) => parseEnv(readFileSync(file, "utf8")))) as Record<
    string,
    string
  >;
  const secrets = secretsOf(env);
  const given = settingsIn(args);
  refuseUnknown(given, vars);
  try {
    const all = { ...vars, ...inFiles, ...given, ...secrets };
    refuseCloudflareSettings(settingsOf(all as unknown as Bindings));
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
  if (Object.keys(secrets).length === 0) return { args: [], remove: () => undefined };
  // Readable only by this user. Secrets that passed the checks do not contain quotes.
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-start-"));
  const file = join(folder, "secrets.env");
  const lines = Object.entries(secrets).map(([name, value]) => `${name}='${value.replace(/\s+/g, " ")}'\n`);
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  return { args: [...(files.length > 0 ? [] : read), file].flatMap((path) => ["--env-file", path]), remove };
}
