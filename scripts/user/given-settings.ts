/** Settings that are given in arguments, as `--var NAME:VALUE`. */
import { CommandError, UsageError } from "../command-line/command.ts";

/** @throws UsageError for a text that is not NAME:VALUE. */
export function settingsFrom(texts: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const text of texts) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*):(.*)$/s.exec(text) ?? [];
    if (name === undefined) throw new UsageError(`--var ${text}: it is NAME:VALUE, such as DEFAULT_MODEL:flowers.`);
    settings[name] = value;
  }
  return settings;
}

/**
 * @param vars The settings that wrangler.toml declares.
 * @throws CommandError if there is another one among the given settings.
 */
export function refuseUnknown(
  settings: Readonly<Record<string, string>>,
  vars: Readonly<Record<string, unknown>>,
): void {
  const unknown = Object.keys(settings).filter((name) => !Object.hasOwn(vars, name));
  if (unknown.length === 0) return;
  throw new CommandError(`There is no setting ${unknown.join(", ")}. There are: ${Object.keys(vars).join(", ")}.`);
}
