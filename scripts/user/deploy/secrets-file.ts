/** Passes the secrets of the environment to `wrangler deploy`, in a file that only this user can read. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { CommandError } from "../../command-line/command.ts";
import { readSecrets, SECRETS } from "../secrets.ts";

export interface SecretsFile {
  /** Arguments of wrangler. */
  readonly args: readonly string[];
  /** The names of the secrets in the file. */
  readonly names: readonly string[];
  remove(): void;
}

/** The names of the secrets in a file, as JSON or as lines NAME=VALUE. @throws CommandError */
export function namesIn(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`--secrets-file ${file} cannot be read: ${(error as Error).message}.`);
  }
  try {
    return Object.keys(JSON.parse(text));
  } catch {
    return Object.keys(parseEnv(text));
  }
}

/** @throws CommandError if a secret of the environment is invalid. */
export function writeSecrets(env: NodeJS.ProcessEnv = process.env): SecretsFile {
  readSecrets();
  const secrets = Object.fromEntries(SECRETS.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const names = Object.keys(secrets);
  if (names.length === 0) return { args: [], names, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-deploy-"));
  const file = join(folder, "secrets.json");
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  return { args: ["--secrets-file", file], names, remove };
}
