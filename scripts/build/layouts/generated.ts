/** The files that are generated from the descriptions in native/layouts. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { CommandError } from "../../command-line/command.ts";
import { DescriptionError, readDescription } from "./description.ts";
import { headerOf } from "./header.ts";
import { typescriptOf } from "./typescript.ts";

const FOLDER = "native/layouts";

export interface Generated {
  readonly path: string;
  readonly text: string;
}

/** The text as Biome formats it, with sorted imports. */
const formatted = (path: string, text: string): string =>
  execFileSync(
    process.execPath,
    ["node_modules/@biomejs/biome/bin/biome", "check", "--write", `--stdin-file-path=${path}`],
    {
      input: text,
      encoding: "utf8",
    },
  );

/** @throws CommandError with the reason if a description contradicts itself. */
function fromDescription(source: string): Generated[] {
  try {
    const description = readDescription(readFileSync(source, "utf8"));
    const { header, typescript } = description;
    return [
      { path: header, text: headerOf(description, source) },
      { path: typescript, text: formatted(typescript, typescriptOf(description, source)) },
    ];
  } catch (error) {
    if (error instanceof DescriptionError || error instanceof SyntaxError) {
      throw new CommandError(`${source}: ${error.message}`, 1);
    }
    throw error;
  }
}

/** Writes all of them in the checkout that is the current folder. */
export const generated = (): Generated[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => fromDescription(`${FOLDER}/${name}`));
