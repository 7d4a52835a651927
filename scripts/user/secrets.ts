/** The settings that are secrets, and must not be on a command line, where every user of the machine sees them. */
import { type Secrets, secretsOf } from "../../worker/settings/token-settings.ts";
import { CommandError, UsageError } from "../command-line/command.ts";

export const SECRETS = ["LABELER_TOKEN", "LABELER_TOKENS", "PUSH_TOKEN"];

/**
 * @param where The secret belongs, after "set it in".
 * @throws UsageError if an argument has a secret in it: `--var NAME:VALUE`, of which wrangler takes several behind one `--var`.
 */
export function refuseSecrets(args: readonly string[], where: string): void {
  for (const arg of args) {
    const name = /^(?:--var=)?([A-Z_]+):/.exec(arg)?.[1] ?? "";
    if (SECRETS.includes(name)) {
      throw new UsageError(`${name} is a secret: set it in ${where}, since a command line is seen by all.`);
    }
  }
}

/** The secrets of the environment. @throws CommandError if one of them is not usable. */
export function readSecrets(): Secrets {
  try {
    return secretsOf(process.env);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
