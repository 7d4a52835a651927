/** The table in scripts/README.md: the file that each npm script of package.json runs. */
import { readFileSync } from "node:fs";
import { markdownTable } from "./table.ts";

/** A link to the file, or the name of the program that npm runs if the script has no file of this repository. */
function linkTo(command: string): string {
  const [, file] = /scripts\/(\S+\.ts)/.exec(command) ?? [];
  if (file !== undefined) return `[${file}](${file})`;
  const [, program] = /node_modules\/(\w+)/.exec(command) ?? /^(\w+)/.exec(command) ?? [];
  return `\`${program}\` itself`;
}

export function npmScriptTable(): string {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  const called = (name: string) => (["start", "test"].includes(name) ? `\`npm ${name}\`` : `\`npm run ${name}\``);
  return markdownTable(
    ["npm script", "file"],
    Object.entries(scripts).map(([name, command]) => [called(name), linkTo(command)]),
  );
}
