/**
 * The settings that `npm start` gives to wrangler: those of wrangler.toml, .dev.vars and the command line, which wrangler
 * reads itself, and the secrets of the environment, which it does not, so that they go through a file.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { type Bindings, settingsOf } from "../../../worker/settings/settings.ts";
import { CommandError } from "../../command-line/command.ts";
import { SECRETS } from "../secrets.ts";

/** What an argument says after `--var NAME:`. */
function settingsIn(args: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    args.flatMap((arg) => {
      const [, name, value] = /^(?:--var=)?([A-Z][A-Z0-9_]*):(.*)$/s.exec(arg) ?? [];
      return name === undefined ? [] : [[name, value ?? ""]];
    }),
  );
}

const secretsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(SECRETS.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));

/** The files in which wrangler looks for secrets unless it is told others: .dev.vars, or without it .env and .env.local. */
function defaultFiles(environment: string | undefined): string[] {
  const own = [...(environment === undefined ? [] : [`.dev.vars.${environment}`]), ".dev.vars"].find(existsSync);
  if (own !== undefined) return [own];
  const suffixes = environment === undefined ? [] : [`.${environment}`, `.${environment}.local`];
  return ["", ".local", ...suffixes].map((suffix) => `.env${suffix}`).filter(existsSync);
}

export interface StartEnvironment {
  /** What wrangler.toml says under [vars]. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** Files of --env-file, which take the place of the default ones. */
  readonly files: readonly string[];
  /** The name after --env, if any. */
  readonly environment: string | undefined;
}

/**
 * Checks the settings, so that one that makes no sense is refused at once instead of in each answer.
 *
 * @returns Arguments of wrangler, and what removes the file that they name; the file holds the secrets of the environment.
 * @throws CommandError that names the setting.
 */
export function handSecretsOn(
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
  try {
    settingsOf({ ...vars, ...inFiles, ...settingsIn(args), ...secrets } as unknown as Bindings);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
  if (Object.keys(secrets).length === 0) return { args: [], remove: () => undefined };
  // Readable by this user alone. Settings that passed have no quotes in their secrets.
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-start-"));
  const file = join(folder, "secrets.env");
  const lines = Object.entries(secrets).map(([name, value]) => `${name}='${value.replace(/\s+/g, " ")}'\n`);
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  return { args: [...(files.length > 0 ? [] : read), file].flatMap((path) => ["--env-file", path]), remove };
}
