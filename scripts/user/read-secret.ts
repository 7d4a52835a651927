/** Reads one secret. It is apart from secrets.ts, whose check of all secrets takes a short command 10 ms to load. */
import { readFileSync } from "node:fs";
import { CommandError } from "../command-line/command.ts";

/**
 * A secret of the environment: `NAME` holds it, or `NAME_FILE` the path of a file with it, as for secrets of containers and
 * credentials of systemd. A line feed at the end of the file does not count.
 *
 * @returns Undefined if neither is set.
 * @throws CommandError if the file cannot be read, or is empty, or if both are set.
 */
export function readSecret(name: string): string | undefined {
  const { [name]: value, [`${name}_FILE`]: file } = process.env;
  if (!file) return value || undefined;
  if (value) throw new CommandError(`${name} and ${name}_FILE are both set. Leave one of them out.`);
  let secret: string;
  try {
    secret = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new CommandError(`${name}_FILE: ${(error as Error).message}.`);
  }
  if (secret === "") throw new CommandError(`${name}_FILE: ${file} is empty. Write the secret into it.`);
  return secret;
}
