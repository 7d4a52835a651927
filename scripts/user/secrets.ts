/** The settings that are secrets. They must not be on a command line, where every user of the machine sees them. */
import { type Secrets, secretsOf } from "../../worker/settings/token-settings.ts";
import { CommandError, UsageError } from "../command-line/command.ts";
import { readSecret } from "./read-secret.ts";

export const SECRETS = ["LABELER_TOKEN", "LABELER_TOKENS", "PUSH_TOKEN"];

/**
 * @param where The place where the secret belongs; follows "set it in".
 * @throws UsageError if an argument contains a secret: `--var NAME:VALUE`, of which wrangler accepts several behind one
 *   `--var`.
 */
export function refuseSecrets(args: readonly string[], where: string): void {
  for (const arg of args) {
    const name = /^(?:--var=)?([A-Z_]+):/.exec(arg)?.[1] ?? "";
    if (SECRETS.includes(name)) {
      throw new UsageError(`${name} is a secret: set it in ${where}, since a command line is seen by all.`);
    }
  }
}

/**
 * Reads the secrets from the environment. Those in files are put into it, where workerd finds them.
 *
 * @throws CommandError if one of them is invalid.
 */
export function readSecrets(): Secrets {
  for (const name of SECRETS) {
    const secret = readSecret(name);
    if (secret === undefined) continue;
    process.env[name] = secret;
    delete process.env[`${name}_FILE`];
  }
  try {
    return secretsOf(process.env);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
